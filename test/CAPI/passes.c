//===- passes.c - Passes and pipelines, from C ----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Passes.h"

#include "mla-c/Pipelines.h"
#include "mlir-c/Transforms.h"
#include "testing.h"

#include <stddef.h>

static const char *kSource =
    "func.func @f(%x: tensor<?x8xf32>, %t: tensor<?x8xf32>, %p: tensor<?xi64>,"
    "             %y: tensor<?x8xf32>) -> tensor<?x8xf32> {\n"
    "  %r = mla.rope ins(x = %x : tensor<?x8xf32>, cos_sin = %t : "
    "tensor<?x8xf32>, positions = %p : tensor<?xi64>) outs(y = %y : "
    "tensor<?x8xf32>) {rope = #mla.rope<half, head_dim = 8>}\n"
    "  return %r : tensor<?x8xf32>\n"
    "}\n";

static void showPipeline(MlirOpPassManager passes) {
  mlirPrintPassPipeline(passes, print, stdout);
  printf("\n");
}

static void testByFunction(MlirContext context) {
  printf("-- by function\n");
  MlirPass (*const create[])(void) = {
      mlirCreateMLATransformsMLABufferEntries,
      mlirCreateMLATransformsMLADecompose,
      mlirCreateMLATransformsMLADisableRope,
      mlirCreateMLATransformsMLAFinalizeEntries,
      mlirCreateMLATransformsMLAFuseAppend,
      mlirCreateMLATransformsMLAHoistMetadata,
      mlirCreateMLATransformsMLAOutlineLayers,
      mlirCreateMLATransformsMLAPlanWorkspace,
      mlirCreateMLATransformsMLAPrepareEntries,
      mlirCreateMLATransformsMLAVerifyInplace,
      mlirCreateMLAConversionMLAThreadContext,
      mlirCreateMLAConversionConvertCustomCallToMLA,
      mlirCreateMLAConversionConvertMLAToRuntime,
  };
  for (size_t i = 0; i < sizeof create / sizeof *create; ++i) {
    MlirPassManager passes =
        mlirPassManagerCreateOnOperation(context, str("builtin.module"));
    mlirPassManagerAddOwnedPass(passes, create[i]());
    showPipeline(mlirPassManagerGetAsOpPassManager(passes));
    mlirPassManagerDestroy(passes);
  }
}

/* Of a textual pipeline on a fresh copy of the module. */
static void run(MlirContext context, const char *pipeline) {
  MlirModule module = mlirModuleCreateParse(context, str(kSource));
  MlirPassManager passes =
      mlirPassManagerCreateOnOperation(context, str("builtin.module"));
  MlirLogicalResult result = mlirOpPassManagerAddPipeline(
      mlirPassManagerGetAsOpPassManager(passes), str(pipeline), print, stdout);
  if (mlirLogicalResultIsSuccess(result)) {
    result = mlirPassManagerRunOnOp(passes, mlirModuleGetOperation(module));
    printf("%s\n", resultName(result));
    if (mlirLogicalResultIsSuccess(result))
      mlirOperationPrint(mlirModuleGetOperation(module), print, stdout);
  }
  mlirPassManagerDestroy(passes);
  mlirModuleDestroy(module);
}

static void testByName(MlirContext context) {
  printf("-- by name\n");
  run(context, "mla-disable-rope{phase=all}");
  mlirRegisterMLATransformsMLADisableRope();
  run(context, "mla-disable-rope{phase=all}");
  run(context, "mla-disable-rope{fase=all}");
  run(context, "mla-disable-rope");
  run(context, "mla-nonsense");
  /* Twice is as good as once, and upstream's passes are apart. */
  mlaRegisterAllPasses();
  mlaRegisterAllPasses();
  mlirRegisterTransformsPasses();
  run(context, "canonicalize,mla-to-llvm{form=expanded}");
}

static void append(MlirContext context, const char *anchor, const char *form,
                   int64_t chunkLength, MlirStringCallback onError) {
  MlirPassManager manager =
      mlirPassManagerCreateOnOperation(context, str(anchor));
  MlirOpPassManager passes = mlirPassManagerGetAsOpPassManager(manager);
  MlaPipelineOptions options = {str(form), chunkLength};
  printf("%s\n", resultName(mlaOpPassManagerAddBufferizePipeline(
                     passes, &options, onError, NULL)));
  printf("%s\n", resultName(mlaOpPassManagerAddToLLVMPipeline(passes, &options,
                                                              onError, NULL)));
  showPipeline(passes);
  mlirPassManagerDestroy(manager);
}

static void testPipelines(MlirContext context) {
  printf("-- pipelines\n");
  MlirPassManager bufferize = mlirPassManagerCreate(context);
  MlirPassManager toLLVM = mlirPassManagerCreate(context);
  printf("%s\n",
         resultName(mlaOpPassManagerAddBufferizePipeline(
             mlirPassManagerGetAsOpPassManager(bufferize), NULL, NULL, NULL)));
  showPipeline(mlirPassManagerGetAsOpPassManager(bufferize));
  printf("%s\n",
         resultName(mlaOpPassManagerAddToLLVMPipeline(
             mlirPassManagerGetAsOpPassManager(toLLVM), NULL, NULL, NULL)));
  showPipeline(mlirPassManagerGetAsOpPassManager(toLLVM));
  mlirPassManagerDestroy(bufferize);
  mlirPassManagerDestroy(toLLVM);
  append(context, "builtin.module", "expanded", 16, printError);

  append(context, "builtin.module", "sideways", -1, printError);
  append(context, "builtin.module", "auto", -2, printError);
  append(context, "builtin.module", "auto", INT64_C(1) << 31, printError);
  append(context, "builtin.module", "absorbed", 0, printError);
  append(context, "func.func", "absorbed", -1, printError);
  append(context, "builtin.module", "sideways", -1, NULL);
}

int main(void) {
  MlirContext context = createContext();
  testByFunction(context);
  testByName(context);
  testPipelines(context);
  mlirContextDestroy(context);
  return 0;
}
