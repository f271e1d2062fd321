//===- TensorSizes.cpp - Where the sizes of tensors come from -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorSizes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// The slice's size in the dimension that is `dim` of its result.
static OpFoldResult getSliceSize(tensor::ExtractSliceOp slice, int64_t dim) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  for (auto [index, size] : llvm::enumerate(slice.getMixedSizes()))
    if (!dropped.test(index) && dim-- == 0)
      return size;
  llvm_unreachable("dimension of a slice");
}

SizeSource mla::detail::traceSize(Value tensor, int64_t dim) {
  while (true) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.isDynamicDim(dim))
      return {Builder(type.getContext()).getIndexAttr(type.getDimSize(dim)),
              Value()};
    Operation *op = tensor.getDefiningOp();
    OpFoldResult size;
    if (auto dps = dyn_cast_or_null<DestinationStyleOpInterface>(op)) {
      tensor = dps.getTiedOpOperand(cast<OpResult>(tensor))->get();
      continue;
    }
    if (auto cast = dyn_cast_or_null<tensor::CastOp>(op);
        cast && isa<RankedTensorType>(cast.getSource().getType())) {
      tensor = cast.getSource();
      continue;
    }
    if (auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op)) {
      tensor = insert.getDest();
      continue;
    }
    if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
      size = empty.getMixedSizes()[dim];
    else if (auto slice = dyn_cast_or_null<tensor::ExtractSliceOp>(op))
      size = getSliceSize(slice, dim);
    else
      return {OpFoldResult(), tensor, dim};
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return {Builder(type.getContext()).getIndexAttr(*known), Value()};
    auto taken = cast<Value>(size).getDefiningOp<tensor::DimOp>();
    std::optional<int64_t> index =
        taken ? taken.getConstantIndex() : std::nullopt;
    if (!index || !isa<RankedTensorType>(taken.getSource().getType()) ||
        *index < 0 || *index >= taken.getSource().getType().getRank())
      return {size, Value()};
    tensor = taken.getSource();
    dim = *index;
  }
}
