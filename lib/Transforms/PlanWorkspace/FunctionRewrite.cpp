//===- FunctionRewrite.cpp - Allocations become parts of a frame ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

Value FunctionPlanner::writeSize(Size size) {
  OpBuilder builder(sizesEnd);
  return writer.write(builder, function.getLoc(), sizes, size,
                      [&](OpBuilder &builder, SizeSymbol symbol) -> Value {
                        Value argument = function.getArgument(symbol.argument);
                        if (symbol.dim == SizeSymbol::kScalar)
                          return argument;
                        return memref::DimOp::create(builder, function.getLoc(),
                                                     argument, symbol.dim);
                      });
}

Value FunctionPlanner::createView(OpBuilder &builder, Location loc,
                                  MemRefType type, Size offset,
                                  ValueRange sizes) {
  return memref::ViewOp::create(builder, loc, type, arena, writeSize(offset),
                                sizes);
}

void FunctionPlanner::rewrite(const OwnedBuffer &buffer) {
  if (isa<memref::AllocOp>(buffer.owner))
    return rewriteAlloc(buffer);
  auto call = dyn_cast<func::CallOp>(buffer.owner);
  if (!call)
    return;
  OpBuilder builder(call);
  auto type = cast<MemRefType>(arena.getType());
  // The callee takes what it was planned to take: of how much there is it needs
  // no number.
  Value frame = sizes.getConstant(buffer.offset) == 0
                    ? arena
                    : createView(builder, call.getLoc(), type, buffer.offset,
                                 writeSize(buffer.size));
  call.getOperandsMutable().append(frame);
}

void FunctionPlanner::rewriteAlloc(const OwnedBuffer &buffer) {
  auto alloc = cast<memref::AllocOp>(buffer.owner);
  OpBuilder builder(alloc);
  Value view = createView(builder, alloc.getLoc(), alloc.getType(),
                          buffer.offset, alloc.getDynamicSizes());
  if (options.poisonDead && buffer.lastUse)
    poison(buffer, alloc.getType());
  alloc.replaceAllUsesWith(view);
  // Later: sizes are written ahead of what was first in the function.
  replaced.insert(buffer.deallocations.begin(), buffer.deallocations.end());
  replaced.insert(alloc);
}

void FunctionPlanner::poison(const OwnedBuffer &buffer, Type type) {
  OpBuilder builder(buffer.lastUse);
  Location loc = buffer.owner->getLoc();
  // All bits set is a NaN in every float type, and no row, page or position.
  Type word = builder.getI32Type();
  Value count = writeSize(sizes.divide(buffer.size, sizes.constant(4)));
  builder.setInsertionPointAfter(buffer.lastUse);
  Value words =
      createView(builder, loc, MemRefType::get({ShapedType::kDynamic}, word),
                 buffer.offset, count);
  Value ones =
      arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(word, -1));
  linalg::FillOp::create(builder, loc, ones, words);
}

/// Calls whose frames can't be part of this function's: they allocate theirs.
void FunctionPlanner::allocateAtCalls() {
  for (func::CallOp call : allocatingCalls) {
    plan.allocates = true;
    OpBuilder builder(call);
    Location loc = call.getLoc();
    const FramePlan &callee =
        plans.find(call.getCalleeAttr().getAttr())->second;
    SizeWriter here;
    Value size = here.write(
        builder, loc, sizes, callee.total,
        [&](OpBuilder &builder, SizeSymbol symbol) -> Value {
          Value operand = call.getOperand(symbol.argument);
          if (symbol.dim == SizeSymbol::kScalar)
            return operand;
          return memref::DimOp::create(builder, loc, operand, symbol.dim);
        });
    Value frame = memref::AllocOp::create(
        builder, loc,
        MemRefType::get({ShapedType::kDynamic}, builder.getIntegerType(8)),
        size);
    call.getOperandsMutable().append(frame);
    remark::missed(
        loc, remark::RemarkOpts::name("own-memory").category(kPlanCategory))
        << "shares no memory: what is called gets its frame here, at every "
           "call";
  }
}
