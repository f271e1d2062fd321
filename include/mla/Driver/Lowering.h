//===- Lowering.h - From the mla dialect to a module of LLVM's --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_DRIVER_LOWERING_H
#define MLA_DRIVER_LOWERING_H

#include "mla/Driver/Manifest.h"

#include <string>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mla {

/// Name of the environment variable that TensorRT-LLM's users know.
inline constexpr llvm::StringLiteral kSkipRopeVariable =
    "SKIP_ROPE_IN_MLA_GENERATION";

struct LoweringOptions {
  /// Runs mla-disable-rope="phase=generation" before everything and records
  /// that kSkipRopeVariable asked for it.
  bool skipRopeInGeneration = false;
  /// Options of mla-decompose: absorbed, expanded or auto; and the most keys of
  /// a sequence that are rebuilt at a time, 0: all, -1: the form's default.
  std::string form = "absorbed";
  int64_t chunkLength = -1;
  /// Runs mla-fuse-append, on what a front end wrote as separate operations.
  bool fuseAppend = true;
  /// Whether intermediates share memory (mla-plan-workspace), and whether what
  /// is dead of it is filled with NaN.
  bool planWorkspace = true;
  bool poisonDead = false;
};

/// Whether kSkipRopeVariable is set: "1" is, "0" and "" are not. Anything else
/// is an error, one sentence.
llvm::Expected<bool> readSkipRopeVariable();

/// Everything that may occur in a module before, during and after lowering.
void registerDriverDialects(mlir::DialectRegistry &registry);

/// Runs the pipeline mla-to-llvm on a module and makes it a compiled module:
/// the constants mla_manifest (JSON, NUL-terminated), mla_module_entries (the
/// same for C callers) and mla_module_abi (u32) are added, and nothing but
/// these and the entries stays visible. The module is of the llvm dialect
/// afterwards; the manifest is returned. Failures were reported as diagnostics.
mlir::FailureOr<Manifest> lowerModule(mlir::ModuleOp module,
                                      const LoweringOptions &options = {});

} // namespace mla

#endif // MLA_DRIVER_LOWERING_H
