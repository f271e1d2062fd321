//===- TensorSizes.h - Where the sizes of tensors come from -----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_TENSORSIZES_H
#define LIB_TRANSFORMS_TENSORSIZES_H

#include "mlir/IR/OpDefinition.h"

namespace mla::detail {

/// A constant or a scalar; or a tensor, whose size in dimension `dim` it is.
struct SizeSource {
  mlir::OpFoldResult size;
  mlir::Value tensor;
  int64_t dim = 0;

  bool operator==(const SizeSource &other) const {
    return size == other.size && tensor == other.tensor && dim == other.dim;
  }
};

/// The first known place where the size of `tensor`, which is ranked, in
/// dimension `dim` occurs: it is followed through destinations, casts, slices,
/// empty tensors and what takes their sizes.
SizeSource traceSize(mlir::Value tensor, int64_t dim);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_TENSORSIZES_H
