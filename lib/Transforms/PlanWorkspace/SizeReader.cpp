//===- SizeReader.cpp - From values of a function to sizes ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SizeReader.h"
#include "Workspace.h"
#include "mla/IR/MLADialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

SizeReader::SizeReader(Sizes &sizes, func::FuncOp function, bool unifiesDims)
    : sizes(sizes), function(function), unifiesDims(unifiesDims) {}

Size SizeReader::getSymbol(unsigned argument, int64_t dim) {
  SizeSymbol symbol{argument, dim};
  if (unifiesDims && dim != SizeSymbol::kScalar)
    if (StringAttr name =
            MLADialect::getSizeName(function.getArgAttrOfType<ArrayAttr>(
                                        argument, MLADialect::kDimsAttr),
                                    dim))
      symbol = named.try_emplace(name, symbol).first->second;
  return sizes.symbol(symbol);
}

Size SizeReader::read(Value value) {
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Size size = compute(value);
  known[value] = size;
  return size;
}

Size SizeReader::read(OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    return read(value);
  return sizes.constant(*getConstantIntValue(size));
}

Size SizeReader::compute(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == &function.front() && value.getType().isIndex()
               ? getSymbol(argument.getArgNumber(), SizeSymbol::kScalar)
               : nullptr;
  Operation *op = value.getDefiningOp();
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return constant.isSignedIntN(63) ? sizes.constant(constant.getSExtValue())
                                     : nullptr;
  if (auto dim = dyn_cast<memref::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    return index ? readDim(dim.getSource(), *index) : nullptr;
  }
  // Narrower integers may wrap.
  if (!value.getType().isIndex())
    return nullptr;
  if (auto choice = dyn_cast<arith::SelectOp>(op)) {
    auto compare = choice.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!compare)
      return nullptr;
    return sizes.select(compare.getPredicate(), read(compare.getLhs()),
                        read(compare.getRhs()), read(choice.getTrueValue()),
                        read(choice.getFalseValue()));
  }
  if (op->getNumOperands() != 2 || !isa<arith::ArithDialect>(op->getDialect()))
    return nullptr;
  Size a = read(op->getOperand(0)), b = read(op->getOperand(1));
  if (isa<arith::AddIOp>(op))
    return sizes.add(a, b);
  if (isa<arith::SubIOp>(op))
    return sizes.subtract(a, b);
  if (isa<arith::MulIOp>(op))
    return sizes.multiply(a, b);
  if (isa<arith::DivUIOp, arith::DivSIOp>(op))
    return sizes.divide(a, b, isa<arith::DivSIOp>(op));
  if (isa<arith::CeilDivUIOp>(op))
    return sizes.divide(sizes.subtract(sizes.add(a, b), sizes.constant(1)), b);
  if (isa<arith::MaxUIOp, arith::MaxSIOp>(op))
    return sizes.max(a, b, isa<arith::MaxSIOp>(op));
  if (isa<arith::MinUIOp, arith::MinSIOp>(op))
    return sizes.min(a, b, isa<arith::MinSIOp>(op));
  return nullptr;
}

Size SizeReader::readDim(Value memref, int64_t dim) {
  auto type = dyn_cast<MemRefType>(memref.getType());
  if (!type || dim < 0 || dim >= type.getRank())
    return nullptr;
  if (!type.isDynamicDim(dim))
    return sizes.constant(type.getDimSize(dim));
  return computeDim(memref, dim);
}

Size SizeReader::computeDim(Value memref, int64_t dim) {
  if (auto argument = dyn_cast<BlockArgument>(memref))
    return argument.getOwner() == &function.front()
               ? getSymbol(argument.getArgNumber(), dim)
               : nullptr;
  Operation *op = memref.getDefiningOp();
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return read(
        alloc.getDynamicSizes()[alloc.getType().getDynamicDimIndex(dim)]);
  if (auto cast = dyn_cast<memref::CastOp>(op))
    return readDim(cast.getSource(), dim);
  if (auto subview = dyn_cast<memref::SubViewOp>(op)) {
    llvm::SmallBitVector dropped = subview.getDroppedDims();
    for (auto [source, size] : llvm::enumerate(subview.getMixedSizes()))
      if (!dropped.test(source) && dim-- == 0)
        return read(size);
    return nullptr;
  }
  if (auto view = dyn_cast<memref::ViewOp>(op))
    return read(view.getSizes()[view.getType().getDynamicDimIndex(dim)]);
  if (auto reinterpret = dyn_cast<memref::ReinterpretCastOp>(op))
    return read(reinterpret.getMixedSizes()[dim]);
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return read(expand.getMixedOutputShape()[dim]);
  if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
    Size product = sizes.constant(1);
    for (int64_t source : collapse.getReassociationIndices()[dim])
      product = sizes.multiply(product, readDim(collapse.getSrc(), source));
    return product;
  }
  return nullptr;
}

Size SizeReader::select(Value condition, Size onTrue, Size onFalse) {
  if (auto compare = condition.getDefiningOp<arith::CmpIOp>())
    if (Size size = sizes.select(compare.getPredicate(), read(compare.getLhs()),
                                 read(compare.getRhs()), onTrue, onFalse))
      return size;
  return sizes.max(onTrue, onFalse);
}

Size SizeReader::readBytes(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  Type element = type.getElementType();
  Size product = sizes.constant(
      element.isIndex() ? 8 : element.getIntOrFloatBitWidth() / 8);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    product = sizes.multiply(product, readDim(alloc, dim));
  return sizes.roundUp(product, kArenaAlignment);
}
