//===- Lowering.cpp - From the mla dialect to a module of LLVM's ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Driver/Lowering.h"
#include "EntryTable.h"
#include "ReturnedRows.h"

#include "mla/IR/Interfaces/BufferizableOpInterfaceImpl.h"
#include "mla/IR/MLADialect.h"
#include "mla/Pipelines/Pipelines.h"
#include "mla/Transforms/Passes.h"
#include "mla_runtime/runtime.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Process.h"

using namespace mlir;
using namespace mla;

namespace {

constexpr llvm::StringLiteral kManifestSymbol = "mla_manifest";
constexpr llvm::StringLiteral kABISymbol = "mla_module_abi";

/// A pipeline's element without the blanks that options left at their default
/// leave behind.
std::string tidy(StringRef element) {
  std::string text;
  for (char c : element) {
    if (c == ' ' && (text.empty() || text.back() == ' ' || text.back() == '{'))
      continue;
    if (c == '}' && text.back() == ' ')
      text.pop_back();
    text.push_back(c);
  }
  return text;
}

/// The elements of a textual pipeline "builtin.module(a,b{c=d},e(f))".
void splitPipeline(StringRef text, SmallVectorImpl<std::string> &elements) {
  text = text.split('(').second;
  text.consume_back(")");
  size_t begin = 0, depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (i > begin)
        elements.push_back(tidy(text.slice(begin, i)));
      begin = i + 1;
    } else if (StringRef("({[").contains(text[i])) {
      ++depth;
    } else if (StringRef(")}]").contains(text[i])) {
      --depth;
    }
  }
}

LogicalResult runPasses(ModuleOp module, Manifest &manifest,
                        function_ref<void(OpPassManager &)> build) {
  PassManager passes(module.getContext());
#ifdef NDEBUG
  // Behind every pass it would take a third of the time. Behind the last one it
  // stays, and mla-opt verifies everywhere.
  passes.enableVerifier(false);
#endif
  build(passes);
  std::string text;
  llvm::raw_string_ostream stream(text);
  passes.printAsTextualPipeline(stream);
  splitPipeline(text, manifest.passes);
  if (failed(passes.run(module)))
    return failure();
  return verify(module);
}

void addConstant(ModuleOp module, StringRef name, Type type, Attribute value,
                 uint64_t alignment) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/true,
                         LLVM::Linkage::External, name, value, alignment);
}

/// What mla-plan-workspace found out; the functions that it saw are the bodies
/// of the entries now.
void describeWorkspaces(ModuleOp module, Manifest &manifest) {
  for (ManifestEntry &entry : manifest.entries)
    if (auto body = module.lookupSymbol<LLVM::LLVMFuncOp>(entry.name + ".body"))
      if (auto bytes =
              body->getAttrOfType<StringAttr>(MLADialect::kWorkspaceAttr))
        entry.workspace = bytes.str();
}

/// Drops the dialect's attributes of functions and of the module: what they
/// said has been used, and translation to LLVM IR warns about what it doesn't
/// know.
void dropDialectAttributes(ModuleOp module) {
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    for (NamedAttribute attribute :
         llvm::to_vector(function->getDiscardableAttrs()))
      if (attribute.getName().strref().starts_with("mla."))
        function->removeDiscardableAttr(attribute.getName());
  module->removeAttr(MLADialect::kNotesAttr);
}

/// Whether every entry of the manifest became one of the ABI: the conversion
/// leaves functions alone that have nothing to call, or nothing any more.
LogicalResult checkEntries(ModuleOp module, const Manifest &manifest) {
  for (const ManifestEntry &entry : manifest.entries) {
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(entry.name);
    auto body = module.lookupSymbol<LLVM::LLVMFuncOp>(entry.name + ".body");
    if (!function || !body)
      return emitError(function ? function.getLoc() : module.getLoc(),
                       "entry '")
             << entry.name
             << "': expected an operation of mla in it or in what it calls, "
                "got none that canonicalization leaves";
  }
  return success();
}

/// Makes everything that is defined and isn't an entry internal.
void hideAllButEntries(ModuleOp module, const Manifest &manifest) {
  llvm::StringSet<> entries;
  for (const ManifestEntry &entry : manifest.entries)
    entries.insert(entry.name);
  for (Operation &op : *module.getBody()) {
    if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op)) {
      if (!function.isExternal() && !entries.contains(function.getName()))
        function.setLinkage(LLVM::Linkage::Internal);
    } else if (auto global = dyn_cast<LLVM::GlobalOp>(op)) {
      if (global.getValueOrNull() || global.getInitializerBlock())
        global.setLinkage(LLVM::Linkage::Internal);
    }
  }
}

} // namespace

llvm::Expected<bool> mla::readSkipRopeVariable() {
  std::optional<std::string> value =
      llvm::sys::Process::GetEnv(kSkipRopeVariable);
  if (!value || value->empty() || *value == "0")
    return false;
  if (*value == "1")
    return true;
  return llvm::createStringError(kSkipRopeVariable +
                                 ": expected 0 or 1, got '" + *value + "'");
}

void mla::registerDriverDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<MLADialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

FailureOr<Manifest> mla::lowerModule(ModuleOp module,
                                     const LoweringOptions &options) {
  Manifest manifest;
  if (options.skipRopeInGeneration &&
      failed(runPasses(module, manifest, [](OpPassManager &passes) {
        MLADisableRopeOptions disable;
        disable.phase = "generation";
        passes.addPass(createMLADisableRope(disable));
      })))
    return failure();
  copyReturnedRows(module);

  // Entries are described when their destinations are arguments and their types
  // still say what they are. The pipeline begins with the same passes; for it
  // they find nothing to do.
  if (failed(runPasses(module, manifest,
                       [&](OpPassManager &passes) {
                         passes.addPass(createCanonicalizerPass());
                         passes.addPass(createMLAPrepareEntries());
                       })) ||
      failed(describeEntries(module, manifest.entries)) ||
      failed(runPasses(module, manifest, [&](OpPassManager &passes) {
        MLAToLLVMOptions pipeline;
        pipeline.form = options.form;
        pipeline.chunkLength = options.chunkLength;
        pipeline.fuseAppend = options.fuseAppend;
        pipeline.planWorkspace = options.planWorkspace;
        pipeline.poisonDead = options.poisonDead;
        buildMLAToLLVMPipeline(passes, pipeline);
      })))
    return failure();

  if (options.skipRopeInGeneration)
    manifest.notes.push_back(
        (kSkipRopeVariable +
         "=1 in the environment added mla-disable-rope phase=generation")
            .str());
  if (auto notes = module->getAttrOfType<ArrayAttr>(MLADialect::kNotesAttr))
    for (auto note : notes.getAsRange<StringAttr>())
      manifest.notes.push_back(note.str());

  if (failed(checkEntries(module, manifest)))
    return failure();
  describeWorkspaces(module, manifest);
  dropDialectAttributes(module);
  hideAllButEntries(module, manifest);
  addEntryTable(module, manifest);
  Builder builder(module.getContext());
  std::string text = printManifest(manifest);
  text.push_back('\0');
  addConstant(module, kManifestSymbol,
              LLVM::LLVMArrayType::get(builder.getI8Type(), text.size()),
              builder.getStringAttr(text), /*alignment=*/1);
  addConstant(module, kABISymbol, builder.getI32Type(),
              builder.getI32IntegerAttr(MLA_ABI_VERSION), /*alignment=*/4);
  return manifest;
}
