//===- HostArithmetic.h - Sizes that the host knows -------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_DECOMPOSE_HOSTARITHMETIC_H
#define LIB_TRANSFORMS_DECOMPOSE_HOSTARITHMETIC_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace mla::detail {

/// Arithmetic on sizes, unsigned: on constants here and now, saturating; else
/// operations on index at the builder's insertion point.
class HostArithmetic {
public:
  HostArithmetic(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpFoldResult constant(int64_t value) {
    return builder.getIndexAttr(value);
  }
  mlir::Value materialize(mlir::OpFoldResult size);

  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// a - b, for b <= a.
  mlir::OpFoldResult sub(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult min(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult max(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// a / b rounded up, for b > 0.
  mlir::OpFoldResult ceilDiv(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// `value`, or `otherwise` where that is 0.
  mlir::OpFoldResult orElse(mlir::OpFoldResult value,
                            mlir::OpFoldResult otherwise);
  /// Whether a < b: a constant 0 or 1, or an i1.
  mlir::OpFoldResult isLess(mlir::OpFoldResult a, mlir::OpFoldResult b);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace mla::detail

#endif // LIB_TRANSFORMS_DECOMPOSE_HOSTARITHMETIC_H
