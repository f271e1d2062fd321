//===- Emit.h - What conversions of custom calls emit -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_CUSTOMCALLTOMLA_EMIT_H
#define MLA_CONVERSION_CUSTOMCALLTOMLA_EMIT_H

#include "Site.h"
#include "mlir/IR/TypeUtilities.h"

namespace mla {
namespace customcall {

/// Operands by name. Null values are absent operands.
using NamedValues = llvm::ArrayRef<std::pair<llvm::StringRef, mlir::Value>>;

/// The operation `mla.NAME`, verified. Refuses the site, with what the verifier
/// says, and returns null where it isn't valid.
MLAOpInterface createOp(Site &site, llvm::StringRef name, NamedValues operands,
                        mlir::NamedAttrList attributes);

// Those below take values that are null once the site is refused, and return
// null then.

/// Size `dim` of a tensor.
mlir::OpFoldResult getSize(Site &site, mlir::Value tensor, int64_t dim);
/// The first `count` rows of an argument that may have more.
mlir::Value takeRows(Site &site, llvm::StringRef argument, mlir::Value tensor,
                     mlir::OpFoldResult count);
/// The columns [first, first + count) of a tensor: a slice of its last
/// dimension.
mlir::Value takeColumns(Site &site, mlir::Value tensor, int64_t first,
                        int64_t count);
/// An uninitialized tensor of the shape of `tensor`.
mlir::Value createEmptyLike(Site &site, mlir::Value tensor);
/// A scale, of which there is one, as a tensor of rank 0.
mlir::Value getScale(Site &site, llvm::StringRef argument);
/// A table with cosines and sines side by side, in f32.
mlir::Value getTable(Site &site, mlir::Value cosSin);
/// The same from a table each.
mlir::Value joinTables(Site &site, mlir::Value cos, mlir::Value sin);

/// What marks an operation whose call had no table.
mlir::NamedAttrList getNoRope(Site &site);
/// Attributes of an append that rotates rows of the width of `pe`, or, without
/// a table, of one that doesn't.
mlir::NamedAttrList getRope(Site &site, RopeStyle style, mlir::Value pe,
                            mlir::Value table);

inline bool isFloat8(mlir::Value value) {
  return value && llvm::isa<mlir::Float8E4M3FNType>(
                      mlir::getElementTypeOrSelf(value.getType()));
}
inline bool isFloat32(mlir::Value value) {
  return value && mlir::getElementTypeOrSelf(value.getType()).isF32();
}
/// The static size of the last dimension; refuses a dynamic one.
int64_t getWidth(Site &site, llvm::StringRef argument, mlir::Value value);

} // namespace customcall
} // namespace mla

#endif // MLA_CONVERSION_CUSTOMCALLTOMLA_EMIT_H
