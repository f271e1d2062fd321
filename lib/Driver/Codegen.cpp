//===- Codegen.cpp - From a module of LLVM's dialect to bytes -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Driver/Codegen.h"

#include "mla/Driver/Linker.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/StripDeadPrototypes.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace {

/// Code runs on every processor of this machine's architecture. What is
/// compiled only prepares calls: beside the runtime's checks of their arguments
/// neither a newer processor's instructions nor the optimizing code generator
/// make a difference that can be measured, and the latter takes minutes over
/// the block of stores that a model of many layers is.
Expected<std::unique_ptr<TargetMachine>> createMachine() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple(sys::getDefaultTargetTriple());
  std::string reason;
  const Target *target = TargetRegistry::lookupTarget(triple, reason);
  if (!target)
    return createStringError("code generator: expected one for " +
                             triple.str() + ", got: " + reason);
  StringRef processor =
      triple.getArch() == Triple::x86_64 ? "x86-64" : "generic";
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, processor, /*Features=*/"", TargetOptions(), Reloc::PIC_,
      /*CM=*/std::nullopt, CodeGenOptLevel::None));
  if (!machine)
    return createStringError("code generator: expected one for " +
                             triple.str() + ", got none");
  return machine;
}

/// Removes what nothing reaches and what is computed twice, in linear time.
void simplify(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  FunctionPassManager simplification;
  simplification.addPass(EarlyCSEPass());
  simplification.addPass(SimplifyCFGPass());
  ModulePassManager passes;
  passes.addPass(createModuleToFunctionPassAdaptor(std::move(simplification)));
  passes.addPass(GlobalDCEPass());
  passes.addPass(StripDeadPrototypesPass());
  passes.run(module, modules);
}

Expected<std::string> emitObject(Module &module, TargetMachine &machine) {
  SmallString<0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr,
                                  CodeGenFileType::ObjectFile))
    return createStringError("code generator: expected it to write objects "
                             "for " +
                             machine.getTargetTriple().str() +
                             ", got one that doesn't");
  passes.run(module);
  return std::string(object);
}

} // namespace

Expected<std::string> mla::generateCode(mlir::ModuleOp module, EmitKind kind) {
  std::string text;
  if (kind == EmitKind::MLIR) {
    raw_string_ostream(text) << module << "\n";
    return text;
  }

  LLVMContext context;
  std::unique_ptr<Module> translated =
      mlir::translateModuleToLLVMIR(module, context, "mla-module");
  if (!translated)
    return createStringError(
        "LLVM IR: expected a translation of the llvm dialect, got none");
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine();
  if (!machine)
    return machine.takeError();
  translated->setTargetTriple((*machine)->getTargetTriple());
  translated->setDataLayout((*machine)->createDataLayout());
  simplify(*translated, **machine);
  if (kind == EmitKind::LLVM) {
    raw_string_ostream(text) << *translated;
    return text;
  }

  Expected<std::string> object = emitObject(*translated, **machine);
  if (!object || kind == EmitKind::Object)
    return object;
  return linkSharedObject(*object);
}
