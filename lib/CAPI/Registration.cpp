//===- Registration.cpp - Makes the project known to MLIR -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Registration.h"

#include "mla/Driver/Lowering.h"
#include "mla/InitAll.h"
#include "mlir/CAPI/IR.h"

void mlaRegisterDialect(MlirDialectRegistry registry) {
  mla::registerAllDialects(*unwrap(registry));
}

void mlaRegisterAllDialects(MlirDialectRegistry registry) {
  mla::registerDriverDialects(*unwrap(registry));
}

void mlaRegisterAllPasses(void) { mla::registerAllPasses(); }
