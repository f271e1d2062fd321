//===- Verification.h - Checks that several operations share ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each check is given the label of the constraint in the operation's
// description and reports in one sentence: the operand, what was expected, what
// came.

#ifndef MLA_LIB_IR_VERIFICATION_H
#define MLA_LIB_IR_VERIFICATION_H

#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"
#include "mlir/IR/TypeUtilities.h"

namespace mla::detail {

/// Starts the sentence: "'mla.x' op (C7) name: ".
mlir::InFlightDiagnostic violation(mlir::Operation *op, llvm::StringRef label,
                                   llvm::StringRef name);

/// `reason` completes "expected an operand" or "expected none", such as
/// "because R = 64".
llvm::LogicalResult verifyPresent(MLAOpInterface op, llvm::StringRef label,
                                  llvm::StringRef name,
                                  const llvm::Twine &reason);
llvm::LogicalResult verifyAbsent(MLAOpInterface op, llvm::StringRef label,
                                 llvm::StringRef name,
                                 const llvm::Twine &reason);

/// Whether the operand called `name` is present and of f8E4M3FN.
bool isQuantized(MLAOpInterface op, llvm::StringRef name);

/// The element type of the first of `names` that is present, null for none.
mlir::Type firstElementType(MLAOpInterface op,
                            llvm::ArrayRef<llvm::StringRef> names);

/// Those of `names` that are present have one of the element types `allowed`.
llvm::LogicalResult verifyElementType(MLAOpInterface op, llvm::StringRef label,
                                      llvm::ArrayRef<llvm::StringRef> names,
                                      llvm::ArrayRef<mlir::Type> allowed);

/// `scale` is present exactly when the operand called `name` is f8E4M3FN.
llvm::LogicalResult verifyScale(MLAOpInterface op, llvm::StringRef label,
                                llvm::StringRef scale, llvm::StringRef name);

/// The same for both parts of a cache row, of which the pe part has width
/// `peWidth`; a cache of packed rows has its scales in them.
llvm::LogicalResult verifyCacheScales(MLAOpInterface op, llvm::StringRef label,
                                      int64_t peWidth);

/// What (C1) asks of a cache of packed rows: their width and, in a memref,
/// where they start.
llvm::LogicalResult verifyPackedCache(MLAOpInterface op, const DimSizes &dims);

/// A query beside such a cache is not f8E4M3FN.
llvm::LogicalResult verifyQueryOfPackedCache(MLAOpInterface op,
                                             llvm::StringRef label);

/// Whether the operand called `name` is present and a cache of packed rows.
bool isPacked(MLAOpInterface op, llvm::StringRef name);

/// A live rope has head_dim = R and its table and, where they can't be
/// computed, positions. Of a rope that isn't live nothing is asked.
llvm::LogicalResult verifyLiveRope(MLAOpInterface op, llvm::StringRef label,
                                   const DimSizes &dims, bool needsPositions);

llvm::LogicalResult verifySoftmaxScale(mlir::Operation *op,
                                       llvm::StringRef label,
                                       const llvm::APFloat &scale);
llvm::LogicalResult verifyPositive(mlir::Operation *op, llvm::StringRef label,
                                   llvm::StringRef name, int64_t value);

} // namespace mla::detail

#endif // MLA_LIB_IR_VERIFICATION_H
