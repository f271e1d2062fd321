//===- mla-opt.cpp - The optimizer driver ---------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../VersionPrinter.h"
#include "mla/InitAll.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::extrahelp examples(R"help(
EXAMPLES:
  mla-import config.json | mla-opt --canonicalize
  mla-opt core.mlir --mla-decompose=form=expanded
  mla-opt core.mlir --mla-to-llvm="form=expanded chunk-length=4096"
  mla-opt core.mlir --pass-pipeline="builtin.module(mla-disable-rope{phase=all},canonicalize)"

Exit status: 0 done, 1 bad input or bad usage.
)help");

int main(int argc, char **argv) {
  setVersionPrinter("mla-opt");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mla::registerAllDialects(registry);
  mla::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "MLA optimizer driver\n", registry));
}
