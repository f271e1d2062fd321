//===- Metadata.h - What layers of a step share -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_HOISTMETADATA_METADATA_H
#define LIB_TRANSFORMS_HOISTMETADATA_METADATA_H

#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mla::detail {

/// Whether `op` is a `slot_mapping` or a `schedule`, on tensors.
bool isMetadata(mlir::Operation *op);

/// Whether `op` can be computed wherever its operands are: metadata, and pure
/// computation without regions.
bool isMovable(mlir::Operation *op);

/// Whether `op` is a loop, whose regions may run many times.
bool isLoop(mlir::Operation *op);

/// A function of a module and how the module calls it.
struct Callable {
  mlir::func::FuncOp function;
  /// The calls of it.
  llvm::SmallVector<mlir::func::CallOp> calls;
  /// Whether it may be called while it runs.
  bool isRecursive = false;
  /// Whether anything but `calls` names it.
  bool hasOtherUses = false;
  /// Whether there are several calls of it, or one that may run more than once.
  bool isRepeated = false;
};

/// The module's functions that have a body, callees before their callers.
llvm::SmallVector<Callable> collectCallables(mlir::ModuleOp module);

/// Gives each `absorbed_attention` that runs in a step with another one, or
/// more than once, a schedule, unless it has one or has indices.
void addSchedules(llvm::ArrayRef<Callable> callables);

/// What of `op`'s operands, and of theirs and so on, `isWanted`: movable
/// operations, each after what it needs.
llvm::SmallVector<mlir::Operation *> collectProducers(
    mlir::Operation *op, llvm::function_ref<bool(mlir::Operation *)> isWanted =
                             [](mlir::Operation *) { return true; });

/// Erases `ops`, which have no uses, and then what only they used.
void eraseWithProducers(llvm::ArrayRef<mlir::Operation *> ops);

/// Whether each region of `function` is one block, so that what encloses an
/// operation and precedes it is computed when it runs.
bool isStructured(mlir::func::FuncOp function);

/// Makes equal metadata of `function`, which is structured, one, and takes out
/// of loops what doesn't change in them. `ops` is all of it, in order; what is
/// left of it is returned, in order.
llvm::SmallVector<mlir::Operation *>
mergeMetadata(mlir::func::FuncOp function,
              llvm::ArrayRef<mlir::Operation *> ops);

/// Why the callers of a function can't compute `op`, metadata of it, in a
/// sentence; empty if they can.
std::string findObstacle(const Callable &callable, mlir::Operation *op);

/// Why `op` can't leave the loop that it is in, in a sentence; empty if it is
/// in none.
std::string findLoopObstacle(mlir::Operation *op);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_HOISTMETADATA_METADATA_H
