//===- testing.h - What the tests of the C interface share --------*- C -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_CAPI_TESTING_H
#define MLA_TEST_CAPI_TESTING_H

#include "mla-c/Registration.h"
#include "mlir-c/Diagnostics.h"

#include <stdio.h>

static inline MlirStringRef str(const char *text) {
  return mlirStringRefCreateFromCString(text);
}

/* A callback that writes to a stream. */
static inline void print(MlirStringRef text, void *stream) {
  fwrite(text.data, 1, text.length, (FILE *)stream);
}

/* A callback for errors: a line of its own. */
static inline void printError(MlirStringRef text, void *userData) {
  (void)userData;
  printf("error: %.*s\n", (int)text.length, text.data);
}

static inline MlirLogicalResult printDiagnostic(MlirDiagnostic diagnostic,
                                                void *userData) {
  (void)userData;
  printf("diagnostic: ");
  mlirDiagnosticPrint(diagnostic, print, stdout);
  printf("\n");
  return mlirLogicalResultSuccess();
}

static inline const char *resultName(MlirLogicalResult result) {
  return mlirLogicalResultIsSuccess(result) ? "success" : "failure";
}

/* A context that knows everything and prints diagnostics to stdout. */
static inline MlirContext createContext(void) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlaRegisterAllDialects(registry);
  MlirContext context =
      mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/false);
  mlirDialectRegistryDestroy(registry);
  mlirContextAttachDiagnosticHandler(context, printDiagnostic, NULL, NULL);
  return context;
}

#endif /* MLA_TEST_CAPI_TESTING_H */
