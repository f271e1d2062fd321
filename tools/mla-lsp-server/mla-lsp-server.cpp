//===- mla-lsp-server.cpp - The language server for editors ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/InitAll.h"
#include "mla_runtime/runtime.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) {
    os << "mla-lsp-server " << MLA_VERSION_STRING << " (LLVM "
       << LLVM_VERSION_STRING << ", ABI " << MLA_ABI_VERSION
       << ", backends cpu)\n";
  });
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mla::registerAllDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
