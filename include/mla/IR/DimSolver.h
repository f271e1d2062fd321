//===- DimSolver.h - Sizes of an operation's shape symbols ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_DIMSOLVER_H
#define MLA_IR_DIMSOLVER_H

#include "mla/IR/MLAOps.h"
#include "llvm/ADT/StringMap.h"

namespace mla {

/// Sizes of the symbols of an operation's shapes ("T", "R", ...), as far as
/// static sizes determine them.
class DimSizes {
public:
  /// The size of `symbol`, nullopt when it is not static.
  std::optional<int64_t> lookup(llvm::StringRef symbol) const;
  /// The same, for symbols that are known to be static or absent (= 0).
  int64_t lookupOrZero(llvm::StringRef symbol) const {
    return lookup(symbol).value_or(0);
  }

private:
  friend llvm::FailureOr<DimSizes>
      solveDims(MLAOpInterface, llvm::function_ref<mlir::InFlightDiagnostic()>);
  llvm::StringMap<int64_t> sizes;
};

/// Solves for the symbols. Where operands disagree, or have another rank than
/// their spec, reports through `emitError` (null: silently) and fails.
llvm::FailureOr<DimSizes>
solveDims(MLAOpInterface op,
          llvm::function_ref<mlir::InFlightDiagnostic()> emitError = nullptr);

/// The specs of a tensor's dims by an operand's, "T,*,R", one for each of
/// `rank`; "*0", "*1" and so on are those that the others leave over. Fails
/// when the rank can't fit.
llvm::FailureOr<llvm::SmallVector<std::string>> expandDims(llvm::StringRef dims,
                                                           int64_t rank);

} // namespace mla

#endif // MLA_IR_DIMSOLVER_H
