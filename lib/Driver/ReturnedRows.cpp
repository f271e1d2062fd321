//===- ReturnedRows.cpp - Rows that an idle rope would have returned ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReturnedRows.h"

#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Entries.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;

/// Whether canonicalization leaves the input of it.
static bool isIdle(RopeOp rope) {
  return !rope.getLiveRope() &&
         getElementTypeOrSelf(rope.getX()) == getElementTypeOrSelf(rope.getY());
}

void mla::copyReturnedRows(ModuleOp module) {
  module.getContext()->loadDialect<bufferization::BufferizationDialect>();
  auto isReturn = [](OpOperand &use) {
    return isa<func::ReturnOp>(use.getOwner());
  };
  SmallVector<RopeOp> ropes;
  module.walk([&](RopeOp rope) {
    auto function = rope->getParentOfType<func::FuncOp>();
    if (function && isEntry(function) && isIdle(rope) &&
        llvm::any_of(rope->getUses(), isReturn))
      ropes.push_back(rope);
  });
  for (RopeOp rope : ropes) {
    // That of an idle rope in front is its input, too.
    Value destination = rope.getY();
    while (auto before = destination.getDefiningOp<RopeOp>()) {
      if (!isIdle(before))
        break;
      destination = before.getY();
    }
    auto argument = dyn_cast<BlockArgument>(destination);
    if (argument && isReadOnly(argument))
      continue;
    OpBuilder builder(rope);
    Value rows = builder.createOrFold<tensor::CastOp>(
        rope.getLoc(), destination.getType(), rope.getX());
    auto copy = bufferization::MaterializeInDestinationOp::create(
        builder, rope.getLoc(), rows, destination);
    rope->getResult(0).replaceUsesWithIf(copy.getResult(), isReturn);
  }
}
