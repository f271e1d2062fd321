//===- lower.c - The pipeline, from C -------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Reads a module from stdin, lowers it to the LLVM dialect in the form of
 * attention that the argument names, and prints it. */

#include "mla-c/Pipelines.h"
#include "mla-c/Registration.h"

#include <stdio.h>
#include <stdlib.h>

static void print(MlirStringRef text, void *stream) {
  fwrite(text.data, 1, text.length, (FILE *)stream);
}

static bool lower(MlirContext context, MlirModule module, const char *form) {
  MlaPipelineOptions options = mlaPipelineOptionsGetDefault();
  options.form = mlirStringRefCreateFromCString(form);
  MlirPassManager passes = mlirPassManagerCreate(context);
  MlirLogicalResult result = mlaOpPassManagerAddToLLVMPipeline(
      mlirPassManagerGetAsOpPassManager(passes), &options, print, stderr);
  if (mlirLogicalResultIsSuccess(result))
    result = mlirPassManagerRunOnOp(passes, mlirModuleGetOperation(module));
  mlirPassManagerDestroy(passes);
  return mlirLogicalResultIsSuccess(result);
}

int main(int argc, char **argv) {
  static char source[1 << 20];
  size_t length = fread(source, 1, sizeof source, stdin);

  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlaRegisterAllDialects(registry);
  MlirContext context =
      mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/false);
  mlirDialectRegistryDestroy(registry);

  /* What is wrong with the source, or can't be lowered, is on stderr then. */
  int status = EXIT_FAILURE;
  MlirModule module =
      mlirModuleCreateParse(context, mlirStringRefCreate(source, length));
  if (!mlirModuleIsNull(module)) {
    if (lower(context, module, argc > 1 ? argv[1] : "absorbed")) {
      mlirOperationPrint(mlirModuleGetOperation(module), print, stdout);
      status = EXIT_SUCCESS;
    }
    mlirModuleDestroy(module);
  }
  mlirContextDestroy(context);
  return status;
}
