//===- compile.c - From a config to a shared object, from C ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Usage: PROGRAM < config.json > core.so */

#include "mla-c/Driver.h"

#include <stdio.h>
#include <stdlib.h>

static void print(MlirStringRef text, void *stream) {
  fwrite(text.data, 1, text.length, (FILE *)stream);
}

static void printError(MlirStringRef text, void *userData) {
  (void)userData;
  fprintf(stderr, "error: %.*s\n", (int)text.length, text.data);
}

static bool write(MlirModule module) {
  return mlirLogicalResultIsSuccess(
             mlaLowerModule(module, NULL, NULL, printError, NULL)) &&
         mlirLogicalResultIsSuccess(mlaEmitModule(
             module, MlaEmitKindSharedObject, print, printError, stdout));
}

int main(void) {
  static char config[1 << 20];
  size_t length = fread(config, 1, sizeof config, stdin);
  MlirContext context = mlirContextCreate();
  MlaImportOptions options = mlaImportOptionsGetDefault();
  options.phase = MlaPhaseGeneration;
  options.pageSize = 16;
  MlirModule module = mlaImportConfig(
      context, mlirStringRefCreate(config, length),
      mlirStringRefCreateFromCString("stdin"), &options, printError, NULL);
  bool written = !mlirModuleIsNull(module) && write(module);
  if (!mlirModuleIsNull(module))
    mlirModuleDestroy(module);
  mlirContextDestroy(context);
  return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
