//===- Registration.h - Makes the project known to MLIR -----------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_C_REGISTRATION_H
#define MLA_C_REGISTRATION_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Adds the dialect and the models of it that other dialects' passes need: what
/// a program wants that chooses the other dialects itself.
MLIR_CAPI_EXPORTED void mlaRegisterDialect(MlirDialectRegistry registry);

/// Adds everything that may occur in a module before, during and after
/// lowering, upstream's dialects among it, with their translation to LLVM IR:
/// what Driver.h wants.
MLIR_CAPI_EXPORTED void mlaRegisterAllDialects(MlirDialectRegistry registry);

/// Makes the project's passes and pipelines known by name, for textual
/// pipelines, as often as it is called. Upstream's passes are registered apart.
MLIR_CAPI_EXPORTED void mlaRegisterAllPasses(void);

#ifdef __cplusplus
}
#endif

#endif // MLA_C_REGISTRATION_H
