//===- ValueNumbers.h - Which values are equal ------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_HOISTMETADATA_VALUENUMBERS_H
#define LIB_TRANSFORMS_HOISTMETADATA_VALUENUMBERS_H

#include "Metadata.h"

namespace mla::detail {

/// Numbers what some operations of a structured function give, and what they
/// are computed from, as it is now: movable operations that do the same with
/// equal operands have equal results, and so have sizes of an entry's arguments
/// that `mla.dims` calls the same. Any other value is equal to itself alone.
class ValueNumbers {
public:
  /// `ops` are movable, and in order.
  ValueNumbers(mlir::func::FuncOp function,
               llvm::ArrayRef<mlir::Operation *> ops);

  /// The first operation that computes what `op` computes.
  mlir::Operation *getLeader(mlir::Operation *op) const {
    return leaders.lookup(op);
  }
  /// The outermost block in which `op` can be computed.
  mlir::Block *getOutermostBlock(mlir::Operation *op) const {
    return outermost.lookup(op);
  }

  /// How many operations enclose `block`.
  static unsigned getDepth(mlir::Block *block);

private:
  void number(mlir::Operation *op);
  /// The first of the values that are equal to `value`.
  mlir::Value getLeading(mlir::Value value) const;
  /// The size that `op` takes of an entry's argument and that `mla.dims` names.
  mlir::StringAttr getSizeName(mlir::Operation *op);

  mlir::func::FuncOp function;
  llvm::DenseMap<size_t, llvm::SmallVector<mlir::Operation *, 1>> buckets;
  llvm::DenseMap<mlir::StringAttr, mlir::Operation *> sizes;
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> leaders;
  llvm::DenseMap<mlir::Operation *, mlir::Block *> outermost;
};

} // namespace mla::detail

#endif // LIB_TRANSFORMS_HOISTMETADATA_VALUENUMBERS_H
