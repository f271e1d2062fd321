//===- ResultBuffers.h - Results stay in their buffers ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RESULTBUFFERS_H
#define LIB_DRIVER_RESULTBUFFERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace mla {

/// The arguments in whose buffers the results of entries are. Canonicalization
/// knows values alone: of a rope that rotates nothing it leaves the input, and
/// then nobody would write the destination that the caller gives.
class ResultBuffers {
public:
  /// Looks at the entries of `module`, prepared or not.
  explicit ResultBuffers(mlir::ModuleOp module);
  /// Puts results that are elsewhere now where they were.
  void restore();

private:
  mlir::ModuleOp module;
  /// An argument for each result, null where it was in none's buffer.
  llvm::MapVector<mlir::func::FuncOp, llvm::SmallVector<mlir::BlockArgument>>
      entries;
};

} // namespace mla

#endif // LIB_DRIVER_RESULTBUFFERS_H
