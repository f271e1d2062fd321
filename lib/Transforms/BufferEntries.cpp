//===- BufferEntries.cpp - mla-buffer-entries -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferCallees.h"
#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"

namespace mla {
#define GEN_PASS_DEF_MLABUFFERENTRIES
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;
using bufferization::BufferizationDialect;

namespace {

/// Gives one entry buffers for tensors.
class EntryBuffers {
public:
  EntryBuffers(func::FuncOp entry, DestinationFlow &flow)
      : entry(entry), flow(flow), builder(entry.getContext()) {}

  void run();

private:
  bool isWritable(BlockArgument argument) {
    auto writable = entry.getArgAttrOfType<BoolAttr>(
        argument.getArgNumber(), BufferizationDialect::kWritableAttrName);
    return writable && writable.getValue();
  }
  /// Finds `stored`; false where a result has no buffer of its own.
  bool findResults();
  void dropResults();
  void convertArguments();

  func::FuncOp entry;
  DestinationFlow &flow;
  OpBuilder builder;
  /// What is returned in the buffer of an argument that is written.
  llvm::MapVector<BlockArgument, Value> stored;
};

} // namespace

bool EntryBuffers::findResults() {
  for (Value value : entry.getBody().front().getTerminator()->getOperands()) {
    if (!isa<TensorType>(value.getType()))
      continue;
    BlockArgument root = flow.getRoot(value);
    while (auto cast = value.getDefiningOp<tensor::CastOp>())
      value = cast.getSource();
    if (!root || value.getType() != root.getType())
      return false;
    if (!isWritable(root)) {
      if (value != root)
        return false;
      continue;
    }
    // One buffer can't hold two values.
    if (stored.insert({root, value}).first->second != value)
      return false;
  }
  return true;
}

void EntryBuffers::dropResults() {
  Operation *terminator = entry.getBody().front().getTerminator();
  builder.setInsertionPoint(terminator);
  for (auto [root, value] : stored) {
    // Nothing to move where bufferization finds the value in place. Without
    // `restrict`: the argument's tensor has that.
    bufferization::MaterializeInDestinationOp::create(builder, value.getLoc(),
                                                      /*result=*/Type(), value,
                                                      root, /*restrict=*/false,
                                                      /*writable=*/true);
  }
  llvm::BitVector dropped(entry.getNumResults());
  for (auto [index, type] : llvm::enumerate(entry.getResultTypes()))
    if (isa<TensorType>(type))
      dropped.set(index);
  terminator->eraseOperands(dropped);
  // Only tensors go, so the new type is always valid.
  (void)entry.eraseResults(dropped);
}

void EntryBuffers::convertArguments() {
  Block &body = entry.getBody().front();
  builder.setInsertionPointToStart(&body);
  SmallVector<DictionaryAttr> attributes;
  entry.getAllArgAttrs(attributes);
  attributes.resize(entry.getNumArguments());
  for (BlockArgument argument : body.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    bool writable = isWritable(argument);
    argument.setType(bufferization::getMemRefTypeWithFullyDynamicLayout(type));
    auto toTensor = bufferization::ToTensorOp::create(
        builder, argument.getLoc(), type, argument, /*restrict=*/true,
        writable);
    argument.replaceUsesWithIf(toTensor.getResult(), [&](OpOperand &use) {
      auto store =
          dyn_cast<bufferization::MaterializeInDestinationOp>(use.getOwner());
      return use.getOwner() != toTensor &&
             !(store && !store.getResult() && use == store.getDestMutable());
    });
    if (toTensor->use_empty())
      toTensor->erase();
    NamedAttrList kept(attributes[argument.getArgNumber()]);
    kept.erase(BufferizationDialect::kWritableAttrName);
    attributes[argument.getArgNumber()] =
        kept.getDictionary(builder.getContext());
  }
  entry.setFunctionType(
      builder.getFunctionType(body.getArgumentTypes(), entry.getResultTypes()));
  // All at once: each change of one makes an array of all.
  entry.setAllArgAttrs(attributes);
}

void EntryBuffers::run() {
  auto isUnknown = [](Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return isa<TensorType>(type) && (!ranked || ranked.getEncoding());
  };
  if (!entry.getBody().hasOneBlock() ||
      llvm::any_of(entry.getArgumentTypes(), isUnknown) || !findResults())
    return;
  dropResults();
  convertArguments();
}

namespace {

struct BufferEntries : public mla::impl::MLABufferEntriesBase<BufferEntries> {
  void runOnOperation() override {
    DenseSet<StringAttr> referred;
    auto uses = SymbolTable::getSymbolUses(&getOperation().getBodyRegion());
    // Who else has an entry isn't known where an operation is unknown.
    if (!uses)
      return;
    for (SymbolTable::SymbolUse use : *uses)
      referred.insert(use.getSymbolRef().getRootReference());
    SymbolTable symbols(getOperation());
    DestinationFlow flow(symbols);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isEntry(function) && !referred.contains(function.getSymNameAttr()))
        EntryBuffers(function, flow).run();
    bufferCallees(getOperation(), flow);
  }
};

} // namespace
