//===- driver.c - From a config to a module that runs, from C -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Driver.h"

#include "mla_runtime/runtime.h"
#include "testing.h"

#include <stdlib.h>
#include <string.h>

static char config[1 << 16];

static MlirModule import(MlirContext context, const MlaImportOptions *options) {
  return mlaImportConfig(context, str(config), str("config.json"), options,
                         printError, NULL);
}

static void testImport(MlirContext context) {
  printf("-- import\n");
  MlirModule module = import(context, NULL);
  mlirOperationPrint(mlirModuleGetOperation(module), print, stdout);
  mlirModuleDestroy(module);

  MlaImportOptions options = mlaImportOptionsGetDefault();
  options.name = str("core");
  options.dtype = str("f32");
  options.cache = str("fp8");
  options.pageSize = 16;
  options.numHeads = 3;
  options.phase = MlaPhaseGeneration;
  options.hints = true;
  module = import(context, &options);
  mlirOperationPrint(mlirModuleGetOperation(module), print, stdout);
  mlirModuleDestroy(module);

  options = mlaImportOptionsGetDefault();
  options.name = str("step");
  options.numLayers = 0;
  module = import(context, &options);
  mlirOperationPrint(mlirModuleGetOperation(module), print, stdout);
  mlirModuleDestroy(module);
}

static void testBadImport(MlirContext context) {
  printf("-- bad import\n");
  MlaImportOptions options[7];
  for (int i = 0; i < 7; ++i)
    options[i] = mlaImportOptionsGetDefault();
  options[0].dtype = str("f64");
  options[1].cache = str("int4");
  options[2].pageSize = 0;
  options[3].numHeads = -1;
  options[4].name = str("7up");
  options[5].phase = (MlaPhase)3;
  options[6].numLayers = 1025;
  int refused = 0;
  for (int i = 0; i < 7; ++i)
    refused += mlirModuleIsNull(import(context, &options[i]));
  refused += mlirModuleIsNull(mlaImportConfig(
      context, str("{"), str("config.json"), NULL, printError, NULL));
  printf("null %d, with no callback %d\n", refused,
         mlirModuleIsNull(mlaImportConfig(context, str("{"), str("config.json"),
                                          NULL, NULL, NULL)));
}

static void save(MlirStringRef bytes, void *path) {
  FILE *file = fopen((const char *)path, "wb");
  if (!file || fwrite(bytes.data, 1, bytes.length, file) != bytes.length)
    abort();
  fclose(file);
}

/* The first line of what is emitted. */
static void printLine(MlirStringRef bytes, void *userData) {
  (void)userData;
  size_t length = 0;
  while (length < bytes.length && bytes.data[length] >= ' ')
    ++length;
  printf("%.*s\n", (int)length, bytes.data);
}

static void printObject(MlirStringRef bytes, void *userData) {
  (void)userData;
  printf("object %d\n", bytes.length > 4 && memcmp(bytes.data,
                                                   "\x7f"
                                                   "ELF",
                                                   4) == 0);
}

static void testCompile(char *path) {
  printf("-- compile\n");
  /* Nobody has registered anything. */
  MlirContext context = mlirContextCreate();
  mlirContextAttachDiagnosticHandler(context, printDiagnostic, NULL, NULL);
  MlaImportOptions import_ = mlaImportOptionsGetDefault();
  import_.name = str("core");
  MlirModule module = import(context, &import_);
  MlaPipelineOptions options = mlaPipelineOptionsGetDefault();
  options.form = str("expanded");
  printf("\n%s\n", resultName(mlaLowerModule(module, &options, print,
                                             printError, stdout)));
  mlaEmitModule(module, MlaEmitKindMLIR, printLine, printError, NULL);
  mlaEmitModule(module, MlaEmitKindLLVM, printLine, printError, NULL);
  mlaEmitModule(module, MlaEmitKindObject, printObject, printError, NULL);
  printf("unseen: %s\n",
         resultName(mlaEmitModule(module, MlaEmitKindLLVM, NULL, NULL, NULL)));
  printf("%s\n", resultName(mlaEmitModule(module, MlaEmitKindSharedObject, save,
                                          printError, path)));
  mlirModuleDestroy(module);
  mlirContextDestroy(context);

  mla_module *loaded = NULL;
  mla_status status = mla_module_load(path, &loaded);
  printf("loaded: %s, entry %d\n",
         status == MLA_STATUS_OK ? "OK" : mla_last_error(NULL),
         loaded && mla_module_entry(loaded, "core") != NULL);
  mla_module_unload(loaded);
}

static void lower(MlirContext context, const char *source,
                  MlirStringCallback onError) {
  MlirModule module = mlirModuleCreateParse(context, str(source));
  MlaPipelineOptions options = mlaPipelineOptionsGetDefault();
  printf("%s\n",
         resultName(mlaLowerModule(module, &options, NULL, onError, NULL)));
  mlirModuleDestroy(module);
}

static void testBadModules(MlirContext context) {
  printf("-- bad modules\n");
  lower(context, "module {}", printError);
  lower(context, "module {}", NULL);
  lower(context, "func.func @mla_x() { return }", printError);
  MlirModule module =
      mlirModuleCreateParse(context, str("func.func @f() { return }"));
  MlaPipelineOptions none = {{NULL, 0}, 0};
  printf("%s\n",
         resultName(mlaLowerModule(module, &none, NULL, printError, NULL)));
  printf("%s\n", resultName(mlaEmitModule(module, (MlaEmitKind)0, printObject,
                                          printError, NULL)));
  printf("%s\n", resultName(mlaEmitModule(module, MlaEmitKindLLVM, printObject,
                                          printError, NULL)));
  mlirModuleDestroy(module);
  printf("done\n");
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  if (!file || fread(config, 1, sizeof config - 1, file) == 0)
    return EXIT_FAILURE;
  fclose(file);
  MlirContext context = createContext();
  testImport(context);
  testBadImport(context);
  testCompile(argv[2]);
  testBadModules(context);
  mlirContextDestroy(context);
  return 0;
}
