//===- mla-compile.cpp - The compiler driver ------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../VersionPrinter.h"
#include "io/File.h"
#include "mla/Driver/Codegen.h"
#include "mla/Driver/Lowering.h"
#include "mla/Import/AttentionCore.h"
#include "mla/Import/ModelConfig.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace {

constexpr int kFailed = 1, kUsage = 2;

cl::OptionCategory category("mla-compile options");
cl::opt<std::string> input(cl::Positional,
                           cl::desc("FILE.mlir, or - for stdin"),
                           cl::cat(category));
cl::opt<std::string>
    config("config",
           cl::desc("Compile the attention core of a Hugging Face config.json "
                    "instead of a module"),
           cl::value_desc("config.json"), cl::cat(category));
cl::opt<std::string> output("o", cl::desc("File to write; - is stdout"),
                            cl::value_desc("file"), cl::cat(category));
cl::opt<std::string> emit(
    "emit",
    cl::desc("What to write: so (default), obj, llvm (LLVM IR) or mlir (the "
             "llvm dialect)"),
    cl::value_desc("kind"), cl::init("so"), cl::cat(category));
cl::opt<bool> printManifest("print-manifest",
                            cl::desc("Print the manifest, as JSON, to stdout"),
                            cl::cat(category));
cl::opt<std::string>
    form("form",
         cl::desc("Form of attention: absorbed (default), expanded or auto, "
                  "which picks by sizes that the host knows"),
         cl::value_desc("form"), cl::init("absorbed"), cl::cat(category));
cl::opt<std::string> chunkLength(
    "chunk-length",
    cl::desc("Most keys of a sequence that the expanded form rebuilds at a "
             "time, 0: all at once (default: 0 for expanded, 4096 for auto)"),
    cl::value_desc("keys"), cl::cat(category));
cl::opt<bool> fuseAppend(
    "fuse-append",
    cl::desc("Turn separate rotations, copies and appends into one append "
             "(default: true)"),
    cl::value_desc("bool"), cl::init(true), cl::cat(category));
cl::opt<bool> remarks("remarks",
                      cl::desc("Say on stderr what passes did at each site, or "
                               "which precondition failed"),
                      cl::cat(category));
cl::opt<std::string> workspace(
    "workspace",
    cl::desc("Memory of intermediates: shared (default) where they aren't "
             "needed at one time; separate; or poisoned: shared, with NaN "
             "wherever nothing is needed, to find what reads it"),
    cl::value_desc("kind"), cl::init("shared"), cl::cat(category));
cl::opt<std::string> phase(
    "phase",
    cl::desc("With --config: none (default), context, generation or both"),
    cl::value_desc("phase"), cl::init("none"), cl::cat(category));
cl::opt<std::string> dtype("dtype",
                           cl::desc("With --config: type of activations: "
                                    "f32, bf16 (default) or f16"),
                           cl::value_desc("type"), cl::init("bf16"),
                           cl::cat(category));
cl::opt<std::string>
    pageSize("page-size",
             cl::desc("With --config: tokens a page of the cache (default 64)"),
             cl::value_desc("tokens"), cl::init("64"), cl::cat(category));
cl::opt<std::string>
    cache("cache",
          cl::desc("With --config: format of the cache: same (default: as the "
                   "activations), fp8, fp8_query or fp8_block"),
          cl::value_desc("format"), cl::init("same"), cl::cat(category));
cl::opt<bool> hints("hints",
                    cl::desc("With --config: add the scalar arguments max_kv, "
                             "num_generation_seqs and num_generation_tokens"),
                    cl::cat(category));
cl::opt<std::string>
    heads("heads",
          cl::desc("With --config: query heads (default: the model's)"),
          cl::value_desc("number"), cl::cat(category));
cl::opt<std::string>
    layers("layers",
           cl::desc("With --config: layers in one entry, 1 (default) to 1024, "
                    "or all of the model's that have latent attention"),
           cl::value_desc("number"), cl::init("1"), cl::cat(category));

cl::extrahelp examples(R"(
EXAMPLES:
  mla-compile core.mlir -o core.so            a module for mla-run and mla_module_load
  mla-import config.json | mla-compile - -o core.so
  mla-compile --config=config.json --dtype=f32 -o core.so
  mla-compile --config=config.json --phase=generation --layers=3 -o step.so
                                              three layers' cores in one entry
  mla-compile core.mlir --form=expanded --chunk-length=4096 -o core.so
                                              keys and values rebuilt 4096 at a time
  mla-compile core.mlir --remarks -o core.so  and what was fused, or why not
  mla-compile core.mlir --emit=llvm           LLVM IR, to stdout
  mla-compile core.mlir --print-manifest      entries and their arguments, as JSON
  SKIP_ROPE_IN_MLA_GENERATION=1 mla-compile core.mlir -o core.so
                                              adds mla-disable-rope="phase=generation"

A shared object is linked by cc, gcc or clang. It finds the runtime in the process
that loads it.

Exit status: 0 done, 1 bad input, 2 bad usage.
)");

int report(const Twine &message, int status) {
  errs() << "mla-compile: error: " << message << "\n";
  return status;
}

/// A positive integer out of an option's word; false after an error message.
bool parsePositive(const cl::opt<std::string> &option, int64_t &value) {
  constexpr int64_t highest = 1 << 16;
  if (!StringRef(option).getAsInteger(10, value) && value >= 1 &&
      value <= highest)
    return true;
  report("--" + option.ArgStr + ": expected an integer from 1 to " +
             Twine(highest) + ", got '" + option + "'",
         kUsage);
  return false;
}

bool parseImportOptions(mla::AttentionCoreOptions &options) {
  std::optional<mla::CoreDtype> element = mla::symbolizeCoreDtype(dtype);
  if (!element) {
    report("--dtype: expected f32, bf16 or f16, got '" + dtype + "'", kUsage);
    return false;
  }
  options.dtypes = {*element};
  std::optional<mla::CacheFormat> format = mla::symbolizeCacheFormat(cache);
  if (!format) {
    report("--cache: expected same, fp8, fp8_query or fp8_block, got '" +
               cache + "'",
           kUsage);
    return false;
  }
  options.caches = {*format};
  options.hints = hints;
  if (!parsePositive(pageSize, options.pageSizes.front()))
    return false;
  if (heads.getNumOccurrences()) {
    options.numHeads.resize(1);
    if (!parsePositive(heads, options.numHeads.front()))
      return false;
  }
  std::optional<int64_t> numLayers = mla::parseNumLayers(layers);
  if (!numLayers) {
    report("--layers: expected an integer from 1 to " + Twine(mla::kMaxLayers) +
               " or all, got '" + layers + "'",
           kUsage);
    return false;
  }
  options.numLayers = {*numLayers};
  if (phase == "both") {
    options.phases = {mla::Phase::Context, mla::Phase::Generation};
  } else if (phase != "none") {
    std::optional<mla::Phase> one = mla::symbolizePhase(phase);
    if (!one) {
      report("--phase: expected none, context, generation or both, got '" +
                 phase + "'",
             kUsage);
      return false;
    }
    options.phases = {one};
  }
  return true;
}

bool parseForm(mla::LoweringOptions &options) {
  if (form != "absorbed" && form != "expanded" && form != "auto") {
    report("--form: expected absorbed, expanded or auto, got '" + form + "'",
           kUsage);
    return false;
  }
  options.form = form;
  if (!chunkLength.getNumOccurrences())
    return true;
  if (form == "absorbed") {
    report("--chunk-length: expected --form=expanded or auto with it, got '" +
               form + "'",
           kUsage);
    return false;
  }
  if (StringRef(chunkLength).getAsInteger(10, options.chunkLength) ||
      options.chunkLength < 0 || options.chunkLength > INT32_MAX) {
    report("--chunk-length: expected an integer from 0 to " + Twine(INT32_MAX) +
               ", got '" + chunkLength + "'",
           kUsage);
    return false;
  }
  return true;
}

bool parseWorkspace(mla::LoweringOptions &options) {
  if (workspace != "shared" && workspace != "separate" &&
      workspace != "poisoned") {
    report("--workspace: expected shared, separate or poisoned, got '" +
               workspace + "'",
           kUsage);
    return false;
  }
  options.planWorkspace = workspace != "separate";
  options.poisonDead = workspace == "poisoned";
  return true;
}

bool checkOptions(std::optional<mla::EmitKind> kind) {
  if (!kind)
    return report("--emit: expected so, obj, llvm or mlir, got '" + emit + "'",
                  kUsage),
           false;
  if (input.empty() && config.empty())
    return report("expected FILE.mlir, - or --config, got nothing; see --help",
                  kUsage),
           false;
  if (!input.empty() && !config.empty())
    return report("--config: expected no other input with it, got '" + input +
                      "'",
                  kUsage),
           false;
  if (config.empty())
    for (const cl::Option *option : std::initializer_list<const cl::Option *>{
             &phase, &dtype, &cache, &hints, &pageSize, &heads, &layers})
      if (option->getNumOccurrences())
        return report("--" + option->ArgStr +
                          ": expected --config with it, got '" + input + "'",
                      kUsage),
               false;
  bool isText = *kind == mla::EmitKind::LLVM || *kind == mla::EmitKind::MLIR;
  if (output.empty() && !isText && !printManifest)
    return report("-o: expected a file for --emit=" + emit + ", got none",
                  kUsage),
           false;
  return true;
}

std::optional<mla::EmitKind> parseEmitKind() {
  if (emit == "so")
    return mla::EmitKind::SharedObject;
  if (emit == "obj")
    return mla::EmitKind::Object;
  if (emit == "llvm")
    return mla::EmitKind::LLVM;
  if (emit == "mlir")
    return mla::EmitKind::MLIR;
  return std::nullopt;
}

/// The module of --config, null after an error message.
mlir::OwningOpRef<mlir::ModuleOp>
importConfig(StringRef text, mlir::MLIRContext &context,
             mla::AttentionCoreOptions &options) {
  Expected<mla::AttentionCoreSpec> spec = mla::readModelConfig(text, config);
  if (!spec) {
    report(toString(spec.takeError()), kFailed);
    return nullptr;
  }
  for (const std::string &note : spec->notes)
    errs() << "mla-compile: note: " << config << ": " << note << "\n";
  if (Error error = mla::resolveNumLayers(*spec, config, options)) {
    report(toString(std::move(error)), kFailed);
    return nullptr;
  }
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mla::buildAttentionCore(&context, *spec, options);
  if (failed(mlir::verify(*module))) {
    report(config + ": expected a model whose core is valid, got the errors "
                    "above",
           kFailed);
    return nullptr;
  }
  return module;
}

int writeOutput(const std::string &path, StringRef bytes) {
  if (path != "-") {
    mla::io::Status status = mla::io::writeFile(path, bytes.str());
    return status ? 0 : report(status.error(), kFailed);
  }
  outs() << bytes;
  outs().flush();
  if (!outs().has_error())
    return 0;
  std::string reason = outs().error().message();
  outs().clear_error();
  return report("stdout: expected to write it, got '" + reason + "'", kFailed);
}

/// Prints the remarks of our passes as diagnostics.
void enableRemarks(mlir::MLIRContext &context) {
  mlir::remark::RemarkCategories categories;
  categories.passed = categories.missed = "mla-.*";
  categories.failed = categories.analysis = "mla-.*";
  // Without a streamer nothing is left that can fail.
  (void)mlir::remark::enableOptimizationRemarks(
      context, nullptr,
      std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), categories,
      /*printAsEmitRemarks=*/true);
}

int run() {
  std::optional<mla::EmitKind> kind = parseEmitKind();
  mla::AttentionCoreOptions importOptions;
  mla::LoweringOptions lowering;
  if (!checkOptions(kind) || !parseImportOptions(importOptions) ||
      !parseForm(lowering) || !parseWorkspace(lowering))
    return kUsage;
  Expected<bool> skipRope = mla::readSkipRopeVariable();
  if (!skipRope)
    return report(toString(skipRope.takeError()), kUsage);
  lowering.skipRopeInGeneration = *skipRope;
  lowering.fuseAppend = fuseAppend;

  const std::string &place = config.empty() ? input : config;
  ErrorOr<std::unique_ptr<MemoryBuffer>> file =
      MemoryBuffer::getFileOrSTDIN(place);
  if (!file)
    return report(
        place + ": expected a readable file, got: " + file.getError().message(),
        kFailed);
  SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*file), SMLoc());
  StringRef text = sources.getMemoryBuffer(1)->getBuffer();

  mlir::DialectRegistry registry;
  mla::registerDriverDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  // A location says enough; a lowered function is thousands of lines.
  context.printOpOnDiagnostic(false);
  mlir::SourceMgrDiagnosticHandler diagnostics(sources, &context, errs());
  if (remarks)
    enableRemarks(context);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      config.empty() ? mlir::parseSourceFile<mlir::ModuleOp>(sources, &context)
                     : importConfig(text, context, importOptions);
  if (!module)
    return config.empty()
               ? report(place + ": expected a valid module, got the errors "
                                "above",
                        kFailed)
               : kFailed;

  if (lowering.skipRopeInGeneration)
    errs() << "mla-compile: note: " << mla::kSkipRopeVariable
           << "=1 in the environment adds "
              "mla-disable-rope=\"phase=generation\"\n";
  mlir::FailureOr<mla::Manifest> manifest = mla::lowerModule(*module, lowering);
  if (failed(manifest))
    return report(place + ": expected a module that can be lowered, got the "
                          "errors above",
                  kFailed);

  bool isWritten = !output.empty() || !printManifest;
  if (isWritten) {
    Expected<std::string> bytes = mla::generateCode(*module, *kind);
    if (!bytes)
      return report(toString(bytes.takeError()), kFailed);
    if (int status =
            writeOutput(output.empty() ? "-" : output.getValue(), *bytes))
      return status;
  }
  if (printManifest)
    return writeOutput("-", mla::printManifest(*manifest, 2) + "\n");
  return 0;
}

/// The option parser's message, in the form that all tools' messages have.
int reportUsage(StringRef message) {
  StringRef line = message.trim().split('\n').first.trim();
  line.consume_front("mla-compile: ");
  return report(line, kUsage);
}

} // namespace

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  setVersionPrinter("mla-compile");
  cl::HideUnrelatedOptions(category);
  std::string messages;
  raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "Compiles a module of the mla dialect, or the attention core of a "
          "model's config,\nto a shared object that calls the MLA runtime.\n",
          &stream))
    return reportUsage(messages);
  return run();
}
