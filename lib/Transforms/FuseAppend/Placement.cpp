//===- Placement.cpp - Tokens and the place of a fused append -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../TensorSizes.h"
#include "AppendSite.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Operations that are moved for one site at most, which keeps the pass linear.
constexpr size_t kMaxMoved = 64;

/// Where the leading size of a tensor comes from. A scalar has none, and is
/// like itself alone.
static SizeSource getLeadingSize(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return {OpFoldResult(), value};
  return traceSize(value, 0);
}

bool mla::detail::haveSameTokens(ArrayRef<Value> a, ArrayRef<Value> b) {
  SmallVector<SizeSource> sizes = llvm::map_to_vector(a, getLeadingSize);
  return llvm::any_of(b, [&](Value value) {
    return llvm::is_contained(sizes, getLeadingSize(value));
  });
}

/// Collects, in order, what defines `value` from `place` on. Fails where that
/// is anything but views and pure computation, comes from one of `appends`, or
/// is more than `budget`.
static LogicalResult collectDefinitions(Value value, Operation *place,
                                        ArrayRef<AppendOp> appends,
                                        SmallVectorImpl<Operation *> &moved,
                                        size_t &budget) {
  Operation *op = value.getDefiningOp();
  if (llvm::is_contained(appends, op))
    return failure();
  if (!op || op->getBlock() != place->getBlock() ||
      op->isBeforeInBlock(place) || llvm::is_contained(moved, op))
    return success();
  if (op->getNumRegions() != 0 || !isMemoryEffectFree(op) || budget-- == 0)
    return failure();
  for (Value operand : op->getOperands())
    if (failed(collectDefinitions(operand, place, appends, moved, budget)))
      return failure();
  moved.push_back(op);
  return success();
}

/// What reads `value`, or what it is a slice of, in [from, to).
static Operation *findReader(Value value, Operation *from, Operation *to,
                             const FusedAppend &fused) {
  while (value) {
    for (Operation *user : value.getUsers()) {
      Operation *op = from->getBlock()->findAncestorOpInBlock(*user);
      if (op && !op->isBeforeInBlock(from) && op->isBeforeInBlock(to) &&
          !llvm::is_contained(fused.moved, op) &&
          !llvm::is_contained(fused.makers, op))
        return op;
    }
    auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
    value = slice ? slice.getSource() : Value();
  }
  return nullptr;
}

std::optional<Obstacle> mla::detail::findPlace(ArrayRef<AppendOp> appends,
                                               FusedAppend &fused) {
  Block *block = appends.front()->getBlock();
  Operation *last = *llvm::max_element(
      appends, [](AppendOp a, AppendOp b) { return a->isBeforeInBlock(b); });
  // At the last of them, or before what uses another one's results.
  fused.place = last;
  for (AppendOp op : appends)
    for (Operation *user : op->getUsers()) {
      Operation *ancestor = block->findAncestorOpInBlock(*user);
      if (ancestor && ancestor->isBeforeInBlock(fused.place))
        fused.place = ancestor;
    }
  if (fused.place == last)
    return {};

  size_t budget = kMaxMoved;
  for (Value operand :
       {fused.cKv, fused.kPe, fused.qNope, fused.qPe, fused.slots, fused.cuQ,
        fused.queryScale, fused.latentScale, fused.peScale, fused.query,
        fused.kPeOut, fused.cache, fused.rotation.cosSin,
        fused.rotation.positions})
    if (operand && failed(collectDefinitions(operand, fused.place, appends,
                                             fused.moved, budget)))
      return Obstacle{operand.getLoc(),
                      "(F8) expected every operand before the first use of a "
                      "result, got one that can't be moved there"};
  // Only the last of them moves up.
  for (Value init : last->getOperands().take_back(last->getNumResults()))
    if (Operation *reader = findReader(init, fused.place, last, fused))
      return Obstacle{reader->getLoc(),
                      "(F8) expected destinations to be written in place, got "
                      "a reader of the old value in between"};
  return {};
}
