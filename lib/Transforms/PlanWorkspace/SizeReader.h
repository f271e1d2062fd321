//===- SizeReader.h - Between sizes and values of a function ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_PLANWORKSPACE_SIZEREADER_H
#define LIB_TRANSFORMS_PLANWORKSPACE_SIZEREADER_H

#include "Size.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mla::detail {

/// Says of a function's values what they are in terms of its arguments.
class SizeReader {
public:
  /// With `unifiesDims`, dims of arguments that have one name in mla.dims are
  /// one symbol: for functions that are called through the ABI only, which
  /// checks that they are equal.
  SizeReader(Sizes &sizes, mlir::func::FuncOp function, bool unifiesDims);

  /// Null where `value` depends on something else than the arguments' sizes and
  /// host scalars.
  Size read(mlir::Value value);
  Size readDim(mlir::Value memref, int64_t dim);
  /// `onTrue` where an i1 is true, else `onFalse`; the larger where that isn't
  /// known.
  Size select(mlir::Value condition, Size onTrue, Size onFalse);
  /// In bytes, rounded up to what the arena aligns to.
  Size readBytes(mlir::memref::AllocOp alloc);

private:
  Size compute(mlir::Value value);
  Size computeDim(mlir::Value memref, int64_t dim);
  Size read(mlir::OpFoldResult size);
  Size getSymbol(unsigned argument, int64_t dim);

  Sizes &sizes;
  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, Size> known;
  /// The first dim of each name.
  llvm::DenseMap<mlir::StringAttr, SizeSymbol> named;
  bool unifiesDims;
};

/// Makes values of sizes.
class SizeWriter {
public:
  using Resolve =
      llvm::function_ref<mlir::Value(mlir::OpBuilder &, SizeSymbol)>;

  /// The size as an index. Equal parts of what one writer writes are one value,
  /// so all of it belongs to one place.
  mlir::Value write(mlir::OpBuilder &builder, mlir::Location loc, Sizes &sizes,
                    Size size, Resolve resolve);

private:
  mlir::Value writeAtom(mlir::OpBuilder &builder, mlir::Location loc,
                        Sizes &sizes, unsigned number, Resolve resolve);

  llvm::DenseMap<Size, mlir::Value> written;
  llvm::DenseMap<unsigned, mlir::Value> writtenAtoms;
};

} // namespace mla::detail

#endif // LIB_TRANSFORMS_PLANWORKSPACE_SIZEREADER_H
