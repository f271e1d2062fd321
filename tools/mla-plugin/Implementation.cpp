//===- Implementation.cpp - The dialect and its passes for a stock mlir-opt
//===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLAPluginImpl.so, which mla-plugin.cpp loads into hosts of the right MLIR
// only. MLIR aborts where a dialect or a pass is registered a second time by
// other code, so a host that was built with the project's libraries keeps its
// own.
//
//===----------------------------------------------------------------------===//

#include "mla/InitAll.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

static void registerDialects(mlir::DialectRegistry *registry) {
  if (llvm::is_contained(registry->getDialectNames(),
                         mla::MLADialect::getDialectNamespace())) {
    llvm::errs()
        << "MLAPlugin: warning: --load-dialect-plugin: expected a host "
           "without the dialect mla, got one that has it; it keeps its "
           "own\n";
    return;
  }
  mla::registerAllDialects(*registry);
}

static void registerPasses() {
  if (mlir::PassInfo::lookup("mla-decompose")) {
    llvm::errs() << "MLAPlugin: warning: --load-pass-plugin: expected a host "
                    "without mla's passes, got one that has them; it keeps its "
                    "own\n";
    return;
  }
  mla::registerAllPasses();
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "mla", LLVM_VERSION_STRING,
          registerDialects};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "mla", LLVM_VERSION_STRING, registerPasses};
}
