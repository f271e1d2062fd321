//===- References.h - Arguments that stay the caller's descriptors -*- C++ -*-//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_MLATORUNTIME_REFERENCES_H
#define LIB_CONVERSION_MLATORUNTIME_REFERENCES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace mla {

/// The memref arguments of a module's functions that are arguments of an entry,
/// however deep the calls. They are passed as addresses of the mla_tensor that
/// the entry got, and only who uses one takes it apart: a memref in LLVM's
/// sense is three scalars and two more for each dimension, and a step of a
/// thousand layers passes six thousand of them twice.
class References {
public:
  /// `uses`: those of all symbols of the module that `symbols` is of.
  References(mlir::SymbolTable &symbols,
             std::optional<mlir::SymbolTable::UseRange> uses);

  /// Makes call operands the arguments that they are casts of. Before any
  /// function is converted.
  void passOn(mlir::func::CallOp call);

  /// Makes the arguments of `function` pointers. Returns the types that they
  /// had.
  llvm::SmallVector<mlir::Type> convert(mlir::func::FuncOp function);

  /// The address of the mla_tensor that `memref` is, null when there is none.
  mlir::Value getTensor(mlir::Value memref) const;

  /// Removes what `convert` took apart and nobody used.
  void removeUnused();

private:
  bool isReference(mlir::BlockArgument argument) const {
    return argument && arguments.contains(argument);
  }
  void exclude(mlir::func::FuncOp function);

  mlir::SymbolTable &symbols;
  llvm::SmallVector<mlir::func::FuncOp> functions;
  llvm::DenseSet<mlir::BlockArgument> arguments;
  /// Of the function converted last, by the memref made of it.
  llvm::MapVector<mlir::Value, mlir::Value> tensors;
};

} // namespace mla

#endif // LIB_CONVERSION_MLATORUNTIME_REFERENCES_H
