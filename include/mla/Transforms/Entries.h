//===- Entries.h - Entry functions and their destinations -------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TRANSFORMS_ENTRIES_H
#define MLA_TRANSFORMS_ENTRIES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace mla {

/// Whether a compiled module exports `function`: it is public, has a body and a
/// tensor or memref in its signature, and isn't marked `mla.host`.
bool isEntry(mlir::func::FuncOp function);

/// Whether a function's argument states that it isn't written.
bool isReadOnly(mlir::BlockArgument argument);

/// Follows tensor values along destinations, that is, to the value whose buffer
/// they take when everything is in place: through destination-style operations,
/// casts, loops, branches and calls of functions of the module.
class DestinationFlow {
public:
  explicit DestinationFlow(const mlir::SymbolTable &symbols)
      : symbols(symbols) {}

  /// The function argument whose buffer `value` takes, null when there is none.
  mlir::BlockArgument getRoot(mlir::Value value);

  /// Whether the buffer of `argument`, an argument of a function, is written
  /// when everything is in place.
  bool isDestination(mlir::Value argument);

  /// Whether every use of `argument` overwrites the whole of it.
  bool isOverwritten(mlir::Value argument);

private:
  mlir::BlockArgument getRootOfJoin(mlir::OpResult result);
  /// Index of the argument that a result of `callee` flows from, -1: none.
  int64_t getResultRoot(mlir::func::FuncOp callee, unsigned index);
  /// The argument of the called function that `operand` becomes, null when that
  /// is not known.
  mlir::Value getCalleeArgument(mlir::OpOperand &operand);
  /// Adds to `reached` the values that have the buffer of `use`, as far as that
  /// is known, after its user.
  void followUse(mlir::OpOperand &use,
                 llvm::SmallSetVector<mlir::Value, 8> &reached);
  mlir::func::FuncOp getCallee(mlir::func::CallOp call);

  const mlir::SymbolTable &symbols;
  /// Index of the argument that each result of a function flows from, -1: none.
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<int64_t>> resultRoots;
  /// Roots of the results of loops and branches; without this chains of them
  /// would be followed exponentially often.
  llvm::DenseMap<mlir::Value, mlir::BlockArgument> joinRoots;
  /// What isOverwritten said, for chains of calls alike.
  llvm::DenseMap<mlir::Value, bool> overwritten;
};

} // namespace mla

#endif // MLA_TRANSFORMS_ENTRIES_H
