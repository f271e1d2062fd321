//===- BufferCallees.cpp - Buffers that calls pass on ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferCallees.h"
#include "CallOrder.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace mla;
using bufferization::MaterializeInDestinationOp;
using bufferization::ToTensorOp;

namespace {

/// The arguments of one function that can be memrefs.
class CalleeBuffers {
public:
  CalleeBuffers(func::FuncOp callee, SmallVector<func::CallOp> calls,
                DestinationFlow &flow)
      : callee(callee), calls(std::move(calls)), flow(flow),
        builder(callee.getContext()), dropped(callee.getNumResults()) {}

  void run();

private:
  Operation *getTerminator() {
    return callee.getBody().front().getTerminator();
  }
  /// What all calls pass for `argument` is the tensor of such a buffer.
  bool isBuffer(BlockArgument argument, ArrayRef<unsigned> results);
  /// Whether `call` has the only use of `tensor`, once, but for what puts its
  /// results `results` back there.
  bool isOnlyUser(func::CallOp call, ToTensorOp tensor,
                  ArrayRef<unsigned> results);
  void convertArgument(BlockArgument argument, ArrayRef<unsigned> results);
  void replaceCall(func::CallOp call);

  func::FuncOp callee;
  SmallVector<func::CallOp> calls;
  DestinationFlow &flow;
  OpBuilder builder;
  llvm::BitVector dropped;
  /// Whether a result may be part of an argument, as that was before results
  /// are put there.
  bool mayReturnView = false;
};

} // namespace

bool CalleeBuffers::isOnlyUser(func::CallOp call, ToTensorOp tensor,
                               ArrayRef<unsigned> results) {
  // In a loop each iteration has the tensor, but the buffer is written by then.
  if (!tensor->hasOneUse() || call->getBlock() != tensor->getBlock())
    return false;
  return llvm::all_of(results, [&](unsigned index) {
    return llvm::all_of(call.getResult(index).getUsers(), [&](Operation *user) {
      auto store = dyn_cast<MaterializeInDestinationOp>(user);
      return store && store.getDest() == tensor.getBuffer();
    });
  });
}

bool CalleeBuffers::isBuffer(BlockArgument argument,
                             ArrayRef<unsigned> results) {
  if (mayReturnView && !results.empty())
    return false;
  // One buffer can't hold two values.
  Operation *terminator = getTerminator();
  for (unsigned index : results)
    if (terminator->getOperand(index) !=
            terminator->getOperand(results.front()) ||
        terminator->getOperand(index).getType() != argument.getType())
      return false;
  auto getTensor = [&](func::CallOp call) {
    return call.getOperand(argument.getArgNumber()).getDefiningOp<ToTensorOp>();
  };
  ToTensorOp first = getTensor(calls.front());
  return first && llvm::all_of(calls, [&](func::CallOp call) {
           ToTensorOp tensor = getTensor(call);
           return tensor && tensor.getRestrict() &&
                  tensor.getBuffer().getType() == first.getBuffer().getType() &&
                  tensor.getWritable() == first.getWritable() &&
                  (tensor.getWritable() ? isOnlyUser(call, tensor, results)
                                        : results.empty());
         });
}

void CalleeBuffers::convertArgument(BlockArgument argument,
                                    ArrayRef<unsigned> results) {
  ToTensorOp passed = calls.front()
                          .getOperand(argument.getArgNumber())
                          .getDefiningOp<ToTensorOp>();
  builder.setInsertionPointToStart(argument.getOwner());
  Type type = argument.getType();
  argument.setType(passed.getBuffer().getType());
  auto tensor = ToTensorOp::create(builder, argument.getLoc(), type, argument,
                                   /*restrict=*/true, passed.getWritable());
  argument.replaceAllUsesExcept(tensor.getResult(), tensor);
  for (unsigned index : results)
    dropped.set(index);
  if (!results.empty()) {
    builder.setInsertionPoint(getTerminator());
    Value value = getTerminator()->getOperand(results.front());
    MaterializeInDestinationOp::create(builder, value.getLoc(),
                                       /*result=*/Type(), value, argument,
                                       /*restrict=*/false, /*writable=*/true);
  }
  if (tensor->use_empty())
    tensor->erase();
  for (func::CallOp call : calls) {
    OpOperand &operand = call->getOpOperand(argument.getArgNumber());
    auto source = operand.get().getDefiningOp<ToTensorOp>();
    operand.set(source.getBuffer());
    if (source->use_empty())
      source->erase();
  }
}

void CalleeBuffers::replaceCall(func::CallOp call) {
  builder.setInsertionPoint(call);
  auto newCall =
      func::CallOp::create(builder, call.getLoc(), callee, call.getOperands());
  newCall->setDiscardableAttrs(call->getDiscardableAttrDictionary());
  unsigned kept = 0;
  for (OpResult result : call.getResults()) {
    if (!dropped.test(result.getResultNumber()))
      result.replaceAllUsesWith(newCall.getResult(kept++));
    else
      for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
        user->erase();
  }
  call.erase();
}

void CalleeBuffers::run() {
  DenseMap<BlockArgument, SmallVector<unsigned>> results;
  for (OpOperand &returned : getTerminator()->getOpOperands()) {
    if (!isa<TensorType>(returned.get().getType()))
      continue;
    if (BlockArgument root = flow.getRoot(returned.get()))
      results[root].push_back(returned.getOperandNumber());
    else
      mayReturnView = true;
  }
  SmallVector<BlockArgument> converted;
  for (BlockArgument argument : callee.getArguments())
    if (isa<RankedTensorType>(argument.getType()) &&
        isBuffer(argument, results.lookup(argument)))
      converted.push_back(argument);
  for (BlockArgument argument : converted)
    convertArgument(argument, results.lookup(argument));
  if (converted.empty())
    return;
  getTerminator()->eraseOperands(dropped);
  // Only tensors go, so the new type is always valid.
  (void)callee.eraseResults(dropped);
  callee.setFunctionType(builder.getFunctionType(
      callee.getBody().getArgumentTypes(), callee.getResultTypes()));
  for (func::CallOp call : calls)
    replaceCall(call);
}

void mla::bufferCallees(ModuleOp module, DestinationFlow &flow) {
  // Callers first: what they pass on are memrefs then. What recursive functions
  // pass to themselves isn't known by then.
  SmallVector<func::FuncOp> order;
  detail::visitCalleesFirst(module,
                            [&](func::FuncOp function, bool isRecursive) {
                              if (!isRecursive)
                                order.push_back(function);
                            });

  DenseMap<StringAttr, SmallVector<func::CallOp>> calls;
  DenseSet<StringAttr> referred;
  if (auto uses = SymbolTable::getSymbolUses(&module.getBodyRegion()))
    for (SymbolTable::SymbolUse use : *uses) {
      StringAttr name = use.getSymbolRef().getRootReference();
      if (auto call = dyn_cast<func::CallOp>(use.getUser()))
        calls[name].push_back(call);
      else
        referred.insert(name);
    }
  for (func::FuncOp function : llvm::reverse(order)) {
    StringAttr name = function.getSymNameAttr();
    auto found = calls.find(name);
    if (function.isPrivate() && function.getBody().hasOneBlock() &&
        found != calls.end() && !referred.contains(name))
      CalleeBuffers(function, found->second, flow).run();
  }
}
