//===- acme-compile.cpp - A compiler that embeds mla ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   acme-compile layer.mlir             prints the module in LLVM's dialect
//   acme-compile layer.mlir layer.so    writes a module for the runtime
//
//===----------------------------------------------------------------------===//

#include "Acme.h"
#include "mla/Driver/Codegen.h"
#include "mla/Driver/Lowering.h"
#include "mla/InitAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static LogicalResult print(ModuleOp module) {
  PassManager passes(module.getContext());
  mla::buildMLAToLLVMPipeline(passes, mla::MLAToLLVMOptions());
  if (failed(passes.run(module)))
    return failure();
  module.print(llvm::outs());
  return success();
}

static LogicalResult write(ModuleOp module, StringRef path) {
  if (failed(mla::lowerModule(module)))
    return failure();
  llvm::Expected<std::string> code =
      mla::generateCode(module, mla::EmitKind::SharedObject);
  if (!code)
    return module.emitError(llvm::toString(code.takeError()));
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  if (error)
    return module.emitError() << path << ": " << error.message();
  file << *code;
  return success();
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) {
    llvm::errs() << "usage: acme-compile IN.mlir [OUT.so]\n";
    return 2;
  }
  DialectRegistry registry;
  mla::registerAllDialects(registry);
  mla::registerDriverDialects(registry);
  registry.insert<acme::AcmeDialect>();

  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  PassManager passes(&context);
  passes.addPass(acme::createAcmeToMLAPass());
  if (failed(passes.run(*module)))
    return 1;
  return failed(argc == 2 ? print(*module) : write(*module, argv[2]));
}
