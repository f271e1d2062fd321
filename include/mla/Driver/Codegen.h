//===- Codegen.h - From a module of LLVM's dialect to bytes -----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_DRIVER_CODEGEN_H
#define MLA_DRIVER_CODEGEN_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mla {

enum class EmitKind {
  SharedObject, ///< loaded by mla_module_load
  Object,       ///< relocatable, position-independent
  LLVM,         ///< LLVM IR, as text
  MLIR          ///< the llvm dialect, as text
};

/// The bytes of what a lowered module compiles to, for this machine's
/// architecture but no particular processor of it. The same module always gives
/// the same bytes. Errors are one sentence: no code generator for this machine,
/// no linker, or what the linker said.
llvm::Expected<std::string> generateCode(mlir::ModuleOp module, EmitKind kind);

} // namespace mla

#endif // MLA_DRIVER_CODEGEN_H
