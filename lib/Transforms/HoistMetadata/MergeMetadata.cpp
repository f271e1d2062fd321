//===- MergeMetadata.cpp - Equal metadata of a function -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../TensorSizes.h"
#include "ValueNumbers.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Takes the sizes of `empty` from where they come from, not from what a layer
/// makes of it.
static void traceSizes(tensor::EmptyOp empty) {
  for (OpOperand &operand : empty->getOpOperands()) {
    auto size = operand.get().getDefiningOp<tensor::DimOp>();
    std::optional<int64_t> dim = size ? size.getConstantIndex() : std::nullopt;
    auto type =
        size ? dyn_cast<RankedTensorType>(size.getSource().getType()) : Type();
    if (!dim || !type || *dim < 0 ||
        *dim >= cast<RankedTensorType>(type).getRank())
      continue;
    SizeSource source = traceSize(size.getSource(), *dim);
    if (source.tensor == size.getSource())
      continue;
    OpBuilder builder(size);
    if (source.tensor)
      operand.set(tensor::DimOp::create(builder, size.getLoc(), source.tensor,
                                        source.dim));
    else if (auto known = dyn_cast<Value>(source.size))
      operand.set(known);
    else
      continue;
    if (size->use_empty())
      eraseWithProducers(size.getOperation());
  }
}

/// The innermost block that encloses both.
static Block *findCommonBlock(Block *a, Block *b) {
  unsigned depthOfA = ValueNumbers::getDepth(a);
  unsigned depthOfB = ValueNumbers::getDepth(b);
  while (a != b) {
    bool fromA = depthOfA >= depthOfB;
    bool fromB = depthOfB >= depthOfA;
    if (fromA) {
      a = a->getParentOp()->getBlock();
      --depthOfA;
    }
    if (fromB) {
      b = b->getParentOp()->getBlock();
      --depthOfB;
    }
  }
  return a;
}

/// The block outside of all loops that can be left between `block` and
/// `outermost`, which encloses it. A branch is left with a loop around it only:
/// it may not be taken.
static Block *leaveLoops(Block *block, Block *outermost) {
  Block *result = block;
  while (block != outermost) {
    Operation *parent = block->getParentOp();
    block = parent->getBlock();
    if (isLoop(parent))
      result = block;
  }
  return result;
}

/// Moves `op` before `place`, whose block encloses it, with what it needs from
/// within.
static void moveBefore(Operation *op, Operation *place) {
  if (op == place)
    return;
  auto isWithin = [&](Operation *producer) {
    return place->isProperAncestor(producer);
  };
  for (Operation *producer : collectProducers(op, isWithin))
    producer->moveBefore(place);
  op->moveBefore(place);
}

SmallVector<Operation *> mla::detail::mergeMetadata(func::FuncOp function,
                                                    ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    for (Value init : cast<DestinationStyleOpInterface>(op).getDpsInits())
      if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
        traceSizes(empty);

  ValueNumbers numbers(function, ops);
  llvm::MapVector<Operation *, SmallVector<Operation *>> groups;
  for (Operation *op : ops)
    groups[numbers.getLeader(op)].push_back(op);
  SmallVector<Operation *> left, dead;
  for (auto &[first, equal] : groups) {
    Block *block = first->getBlock();
    for (Operation *op : equal)
      block = findCommonBlock(block, op->getBlock());
    block = leaveLoops(block, numbers.getOutermostBlock(first));
    moveBefore(first, block->findAncestorOpInBlock(*first));
    for (Operation *op : ArrayRef(equal).drop_front())
      op->replaceAllUsesWith(first);
    llvm::append_range(dead, ArrayRef(equal).drop_front());
    left.push_back(first);
  }
  // Not before: what is numbered are operations by their addresses.
  eraseWithProducers(dead);
  return left;
}
