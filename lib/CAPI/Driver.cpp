//===- Driver.cpp - From a model's config to a compiled module ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Driver.h"

#include "PipelineOptions.h"

#include "mla/Driver/Codegen.h"
#include "mla/Driver/Lowering.h"
#include "mla/Import/AttentionCore.h"
#include "mla/Import/ModelConfig.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mla;

namespace {

void print(llvm::raw_ostream &stream, Diagnostic &diagnostic) {
  // As compilers print it; the attribute's form has quotes and loc().
  if (auto place = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
    stream << place.getFilename().getValue() << ":" << place.getLine() << ":"
           << place.getColumn() << ": ";
  else if (!isa<UnknownLoc>(diagnostic.getLocation()))
    stream << diagnostic.getLocation() << ": ";
  stream << diagnostic;
}

/// Hands the context's errors to a caller's function as long as this lives.
class ErrorHandler : public ScopedDiagnosticHandler {
public:
  ErrorHandler(MLIRContext *context, MlirStringCallback onError, void *userData)
      : ScopedDiagnosticHandler(context), context(context),
        printsOp(context->shouldPrintOpOnDiagnostic()) {
    if (!onError)
      return;
    // A sentence has no room for an operation, let alone for a function.
    context->printOpOnDiagnostic(false);
    setHandler([=](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      std::string text;
      llvm::raw_string_ostream stream(text);
      print(stream, diagnostic);
      for (Diagnostic &note : diagnostic.getNotes()) {
        stream << "; ";
        print(stream, note);
      }
      onError(wrap(StringRef(text)), userData);
      return success();
    });
  }
  ~ErrorHandler() { context->printOpOnDiagnostic(printsOp); }

private:
  MLIRContext *context;
  bool printsOp;
};

/// Makes up for what the caller's registry lacks: without the models of other
/// dialects' operations passes fail for reasons that say nothing.
void registerAll(MLIRContext *context) {
  DialectRegistry registry;
  registerDriverDialects(registry);
  context->appendDialectRegistry(registry);
}

/// An enumerator by its name, or an error that lists all names.
template <typename Enum>
llvm::Expected<Enum> symbolize(StringRef field, StringRef names,
                               MlirStringRef name,
                               std::optional<Enum> (*convert)(StringRef)) {
  if (std::optional<Enum> value = convert(unwrap(name)))
    return *value;
  return llvm::createStringError(field + ": expected " + names + ", got '" +
                                 unwrap(name) + "'");
}

llvm::Expected<int64_t> checkInteger(StringRef field, int64_t value,
                                     int64_t low, int64_t highest) {
  if (value >= low && value <= highest)
    return value;
  return llvm::createStringError(field + ": expected " + Twine(low) + " to " +
                                 Twine(highest) + ", got " + Twine(value));
}

llvm::Expected<AttentionCoreOptions>
convertOptions(const MlaImportOptions &options) {
  AttentionCoreOptions result;
  auto dtype = symbolize<CoreDtype>("dtype", "f32, bf16 or f16", options.dtype,
                                    symbolizeCoreDtype);
  if (!dtype)
    return dtype.takeError();
  auto cache =
      symbolize<CacheFormat>("cache", "same, fp8, fp8_query or fp8_block",
                             options.cache, symbolizeCacheFormat);
  if (!cache)
    return cache.takeError();
  auto pageSize = checkInteger("pageSize", options.pageSize, 1, 1 << 16);
  if (!pageSize)
    return pageSize.takeError();
  auto numHeads = checkInteger("numHeads", options.numHeads, 0, 1 << 16);
  if (!numHeads)
    return numHeads.takeError();
  auto numLayers =
      checkInteger("numLayers", options.numLayers, kAllLayers, kMaxLayers);
  if (!numLayers)
    return numLayers.takeError();
  StringRef name = unwrap(options.name);
  if (name.empty() || llvm::isDigit(name.front()) ||
      !llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }))
    return llvm::createStringError("name: expected an identifier of C, got '" +
                                   name + "'");

  result.dtypes = {*dtype};
  result.caches = {*cache};
  result.pageSizes = {*pageSize};
  if (*numHeads)
    result.numHeads = {*numHeads};
  result.numLayers = {*numLayers};
  // 0 is no phase.
  if (options.phase) {
    std::optional<Phase> phase = symbolizePhase(uint32_t(options.phase));
    if (!phase)
      return llvm::createStringError(
          "phase: expected 0, 1 (context) or 2 (generation), got " +
          Twine(uint32_t(options.phase)));
    result.phases = {phase};
  }
  result.hints = options.hints;
  result.name = name.str();
  return result;
}

/// C may pass any integer.
std::optional<EmitKind> convertKind(MlaEmitKind kind) {
  switch (kind) {
  case MlaEmitKindSharedObject:
    return EmitKind::SharedObject;
  case MlaEmitKindObject:
    return EmitKind::Object;
  case MlaEmitKindLLVM:
    return EmitKind::LLVM;
  case MlaEmitKindMLIR:
    return EmitKind::MLIR;
  }
  return std::nullopt;
}

} // namespace

//===--- Import -----------------------------------------------------------===//

MlaImportOptions mlaImportOptionsGetDefault(void) {
  MlaImportOptions options = {};
  options.name = mlirStringRefCreateFromCString("attention");
  options.dtype = mlirStringRefCreateFromCString("bf16");
  options.cache = mlirStringRefCreateFromCString("same");
  options.pageSize = 64;
  options.numLayers = 1;
  return options;
}

MlirModule mlaImportConfig(MlirContext ctx, MlirStringRef text,
                           MlirStringRef place, const MlaImportOptions *options,
                           MlirStringCallback onError, void *userData) {
  MLIRContext *context = unwrap(ctx);
  auto fail = [&](llvm::Error error) {
    reportError(std::move(error), onError, userData);
    return MlirModule{nullptr};
  };
  auto converted =
      convertOptions(options ? *options : mlaImportOptionsGetDefault());
  if (!converted)
    return fail(converted.takeError());
  auto spec = readModelConfig(unwrap(text), unwrap(place));
  if (!spec)
    return fail(spec.takeError());
  if (llvm::Error error = resolveNumLayers(*spec, unwrap(place), *converted))
    return fail(std::move(error));

  ErrorHandler errors(context, onError, userData);
  OwningOpRef<ModuleOp> module = buildAttentionCore(context, *spec, *converted);
  if (failed(verify(*module)))
    return {nullptr};
  for (const std::string &note : spec->notes)
    emitRemark(NameLoc::get(StringAttr::get(context, unwrap(place)))) << note;
  return wrap(module.release());
}

//===--- Compilation ------------------------------------------------------===//

MlirLogicalResult mlaLowerModule(MlirModule module,
                                 const MlaPipelineOptions *options,
                                 MlirStringCallback onManifest,
                                 MlirStringCallback onError, void *userData) {
  llvm::Expected<MlaPipelineOptions> checked = checkPipelineOptions(options);
  if (!checked)
    return reportError(checked.takeError(), onError, userData);
  LoweringOptions lowering;
  lowering.form = unwrap(checked->form).str();
  lowering.chunkLength = checked->chunkLength;

  ModuleOp op = unwrap(module);
  registerAll(op.getContext());
  ErrorHandler errors(op.getContext(), onError, userData);
  FailureOr<Manifest> manifest = lowerModule(op, lowering);
  if (failed(manifest))
    return mlirLogicalResultFailure();
  if (onManifest)
    onManifest(wrap(StringRef(printManifest(*manifest))), userData);
  return mlirLogicalResultSuccess();
}

MlirLogicalResult mlaEmitModule(MlirModule module, MlaEmitKind kind,
                                MlirStringCallback onBytes,
                                MlirStringCallback onError, void *userData) {
  std::optional<EmitKind> emitKind = convertKind(kind);
  if (!emitKind)
    return reportError(
        llvm::createStringError("kind: expected 1 (shared object), 2 (object), "
                                "3 (LLVM IR) or 4 (llvm dialect), got " +
                                Twine(uint32_t(kind))),
        onError, userData);
  ModuleOp op = unwrap(module);
  registerAll(op.getContext());
  ErrorHandler errors(op.getContext(), onError, userData);
  llvm::Expected<std::string> bytes = generateCode(op, *emitKind);
  if (!bytes)
    return reportError(bytes.takeError(), onError, userData);
  if (onBytes)
    onBytes(wrap(StringRef(*bytes)), userData);
  return mlirLogicalResultSuccess();
}
