//===- mla-import.cpp - A model's config to its attention core ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../VersionPrinter.h"
#include "mla/IR/CacheRow.h"
#include "mla/Import/AttentionCore.h"
#include "mla/Import/Golden.h"
#include "mla/Import/ModelConfig.h"
#include "mla/Import/RopeTable.h"

#include "io/File.h"
#include "io/SafeTensors.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr int64_t kMaxTableBytes = int64_t(1) << 31;

cl::OptionCategory category("mla-import options");
cl::opt<std::string> input(cl::Positional,
                           cl::desc("config.json | FILE.safetensors"),
                           cl::cat(category));
cl::opt<std::string> output("o", cl::desc("File to write; - is stdout"),
                            cl::value_desc("file"), cl::init("-"),
                            cl::cat(category));
cl::opt<std::string>
    phaseOption("phase",
                cl::desc("none (default), context, generation or both"),
                cl::value_desc("phase"), cl::init("none"), cl::cat(category));
cl::list<std::string> dtypeOptions(
    "dtype", cl::desc("Types of activations: f32, bf16 (default), f16"),
    cl::value_desc("type,..."), cl::CommaSeparated, cl::cat(category));
cl::list<std::string> cacheOptions(
    "cache",
    cl::desc("Formats of the cache: same (default: as the activations), fp8 "
             "(one scale a tensor), fp8_query (the same, the query too), "
             "fp8_block (a scale for 128 columns)"),
    cl::value_desc("format,..."), cl::CommaSeparated, cl::cat(category));
cl::opt<bool>
    hintsOption("hints",
                cl::desc("Add the scalar arguments max_kv, num_generation_seqs "
                         "and num_generation_tokens: what the host knows of a "
                         "batch, 0 where it doesn't"),
                cl::cat(category));
cl::list<std::string> pageSizeOptions(
    "page-size", cl::desc("Tokens a page of the cache (default 64)"),
    cl::value_desc("tokens,..."), cl::CommaSeparated, cl::cat(category));
cl::list<std::string>
    headsOptions("heads", cl::desc("Query heads (default: the model's)"),
                 cl::value_desc("number,..."), cl::CommaSeparated,
                 cl::cat(category));
cl::list<std::string> layersOptions(
    "layers",
    cl::desc("Layers in one function: 1 (default) to 1024, or all: those of "
             "the config that have latent attention"),
    cl::value_desc("number,..."), cl::CommaSeparated, cl::cat(category));
cl::opt<std::string>
    nameOption("name", cl::desc("Name of the function (default attention)"),
               cl::value_desc("name"), cl::init("attention"),
               cl::cat(category));
cl::opt<bool> dropDeadRope(
    "drop-dead-rope",
    cl::desc(
        "Leave out a rotation that the config states and the model doesn't do, "
        "instead of leaving that to --canonicalize"),
    cl::cat(category));
cl::opt<std::string> tableOption(
    "table",
    cl::desc("Also write the rotary table, as tensor cos_sin [N, R] f32"),
    cl::value_desc("file.safetensors"), cl::cat(category));
cl::opt<std::string>
    maxPositionsOption("max-positions",
                       cl::desc("Rows of the table (default: the config's "
                                "max_position_embeddings)"),
                       cl::value_desc("N"), cl::cat(category));

cl::extrahelp examples(R"(
EXAMPLES:
  mla-import config.json                      the model's attention core, to stdout
  mla-import config.json | mla-opt --canonicalize
  mla-import config.json --phase=both --dtype=bf16,f16 --heads=16 -o core.mlir
  mla-import config.json -o core.mlir --table table.safetensors --max-positions=4096
  mla-import config.json --cache=fp8_block -o core.mlir
  mla-import config.json --phase=generation --layers=all -o step.mlir
  mla-import recorded.safetensors --dtype=f32 --page-size=1,16,64

A module with one function calls it 'attention'; where --dtype, --page-size or --heads
are several, 'attention_<dtype>_p<page size>_h<heads>'; several --cache add the format,
--phase=both adds the phase, several --layers add '_l<layers>'. An fp8 cache adds the arguments latent_scale and pe_scale,
an fp8 query, which only the absorbed form has, query_scale.

Exit status: 0 done, 1 bad input, 2 bad usage.
)");

int report(const Twine &message, int status) {
  errs() << "mla-import: error: " << message << "\n";
  return status;
}

/// Integers of [low, high] out of an option's words; false after an error
/// message.
bool parseIntegers(const cl::list<std::string> &option, int64_t low,
                   int64_t high, SmallVectorImpl<int64_t> &values) {
  for (const std::string &word : option) {
    int64_t value;
    if (StringRef(word).getAsInteger(10, value) || value < low ||
        value > high) {
      report("--" + option.ArgStr + ": expected integers from " + Twine(low) +
                 " to " + Twine(high) + ", got '" + word + "'",
             kUsage);
      return false;
    }
    if (!is_contained(values, value))
      values.push_back(value);
  }
  return true;
}

bool parseFormats(mla::AttentionCoreOptions &options) {
  if (cacheOptions.getNumOccurrences())
    options.caches.clear();
  for (const std::string &word : cacheOptions) {
    std::optional<mla::CacheFormat> format = mla::symbolizeCacheFormat(word);
    if (!format) {
      report("--cache: expected same, fp8, fp8_query or fp8_block, got '" +
                 word + "'",
             kUsage);
      return false;
    }
    if (!is_contained(options.caches, *format))
      options.caches.push_back(*format);
  }
  options.hints = hintsOption;
  return true;
}

bool parseLayers(mla::AttentionCoreOptions &options) {
  if (layersOptions.getNumOccurrences())
    options.numLayers.clear();
  for (const std::string &word : layersOptions) {
    std::optional<int64_t> numLayers = mla::parseNumLayers(word);
    if (!numLayers) {
      report("--layers: expected integers from 1 to " + Twine(mla::kMaxLayers) +
                 " or all, got '" + word + "'",
             kUsage);
      return false;
    }
    options.numLayers.push_back(*numLayers);
  }
  return true;
}

bool parseOptions(mla::AttentionCoreOptions &options) {
  options.dtypes.clear();
  for (const std::string &word : dtypeOptions) {
    std::optional<mla::CoreDtype> dtype = mla::symbolizeCoreDtype(word);
    if (!dtype) {
      report("--dtype: expected f32, bf16 or f16, got '" + word + "'", kUsage);
      return false;
    }
    if (!is_contained(options.dtypes, *dtype))
      options.dtypes.push_back(*dtype);
  }
  if (options.dtypes.empty())
    options.dtypes.push_back(mla::CoreDtype::BF16);

  if (!parseFormats(options) || !parseLayers(options))
    return false;
  options.pageSizes.clear();
  if (!parseIntegers(pageSizeOptions, 1, 1 << 16, options.pageSizes) ||
      !parseIntegers(headsOptions, 1, 1 << 16, options.numHeads))
    return false;
  if (options.pageSizes.empty())
    options.pageSizes.push_back(64);

  if (phaseOption == "both")
    options.phases = {mla::Phase::Context, mla::Phase::Generation};
  else if (phaseOption != "none") {
    std::optional<mla::Phase> phase = mla::symbolizePhase(phaseOption);
    if (!phase) {
      report("--phase: expected none, context, generation or both, got '" +
                 phaseOption + "'",
             kUsage);
      return false;
    }
    options.phases = {phase};
  }

  // It becomes a symbol of a shared object, beside the runtime's own.
  StringRef name = nameOption;
  bool isIdentifier =
      !name.empty() && !isDigit(name.front()) &&
      all_of(name, [](char c) { return isAlnum(c) || c == '_'; });
  if (!isIdentifier || name.starts_with("mla_") || name.starts_with("_")) {
    report("--name: expected an identifier of C that doesn't start with mla_ "
           "or _, got '" +
               name + "'",
           kUsage);
    return false;
  }
  options.name = name.str();
  options.dropDeadRope = dropDeadRope;
  return true;
}

bool isRecorded() { return StringRef(input).ends_with(".safetensors"); }

Error toError(const std::string &message) {
  return make_error<StringError>(message, inconvertibleErrorCode());
}

Expected<std::vector<float>> getTable(const mla::AttentionCoreSpec &spec,
                                      const mla::io::SafeTensors *golden,
                                      int64_t maxPositions) {
  auto fail = [](const Twine &message) { return toError(message.str()); };
  if (!spec.hasLiveRope())
    return fail(input + ": expected a model that rotates, for --table, got " +
                spec.model + ": " + spec.unrotatedReason);
  if (golden)
    return mla::readGoldenRopeTable(*golden, input);
  int64_t rows = maxPositions ? maxPositions : spec.maxPositions;
  int64_t highest = kMaxTableBytes / (4 * spec.qkRopeHeadDim);
  if (rows < 1 || rows > highest)
    return fail(input + ": expected 1 to " + Twine(highest) +
                " positions for --table, from max_position_embeddings or "
                "--max-positions, got " +
                (rows ? Twine(rows) : Twine("none")));
  return mla::computeRopeTable(spec, rows);
}

int writeOutput(const std::string &text) {
  if (output != "-") {
    mla::io::Status status = mla::io::writeFile(output, text);
    return status ? 0 : report(status.error(), kFailed);
  }
  outs() << text;
  outs().flush();
  if (!outs().has_error())
    return 0;
  std::string reason = outs().error().message();
  outs().clear_error();
  return report("stdout: expected to write it, got '" + reason + "'", kFailed);
}

/// Reads the input, and keeps it in `golden` when it is recorded tensors.
Expected<mla::AttentionCoreSpec>
readInput(std::optional<mla::io::SafeTensors> &golden) {
  if (isRecorded()) {
    mla::io::Result<mla::io::SafeTensors> file =
        mla::io::SafeTensors::read(input);
    if (!file)
      return toError(file.error());
    golden.emplace(std::move(*file));
    return mla::readGolden(*golden, input);
  }
  mla::io::Result<mla::io::Buffer> file = mla::io::readFile(input);
  if (!file)
    return toError(file.error());
  return mla::readModelConfig(
      StringRef(reinterpret_cast<char *>(file->data()), file->size()), input);
}

int run() {
  mla::AttentionCoreOptions options;
  if (!parseOptions(options))
    return kUsage;
  int64_t maxPositions = 0;
  if (!maxPositionsOption.empty() &&
      (StringRef(maxPositionsOption).getAsInteger(10, maxPositions) ||
       maxPositions < 1))
    return report("--max-positions: expected an integer of at least 1, got '" +
                      maxPositionsOption + "'",
                  kUsage);
  if (input.empty())
    return report(
        "expected a config.json or a .safetensors file, got nothing; see "
        "--help",
        kUsage);
  if (!maxPositionsOption.empty() && isRecorded())
    return report("--max-positions: expected a config.json with it, got " +
                      input,
                  kUsage);
  if (!maxPositionsOption.empty() && tableOption.empty())
    return report("--max-positions: expected --table with it, got none",
                  kUsage);

  std::optional<mla::io::SafeTensors> golden;
  Expected<mla::AttentionCoreSpec> spec = readInput(golden);
  if (!spec)
    return report(toString(spec.takeError()), kFailed);
  for (const std::string &note : spec->notes)
    errs() << "mla-import: note: " << input << ": " << note << "\n";

  if (Error error = mla::resolveNumLayers(*spec, input, options))
    return report(toString(std::move(error)), kFailed);
  if (is_contained(options.caches, mla::CacheFormat::FP8Block) &&
      spec->kvLoraRank % mla::kScaleBlock)
    return report(input + ": expected a kv_lora_rank that is a multiple of " +
                      Twine(mla::kScaleBlock) +
                      ", for --cache=fp8_block, got " + Twine(spec->kvLoraRank),
                  kFailed);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mla::buildAttentionCore(&context, *spec, options);
  if (failed(mlir::verify(*module)))
    return kFailed;
  std::string text;
  raw_string_ostream stream(text);
  module->print(stream, mlir::OpPrintingFlags().printNameLocAsPrefix());

  if (!tableOption.empty()) {
    Expected<std::vector<float>> table =
        getTable(*spec, golden ? &*golden : nullptr, maxPositions);
    if (!table)
      return report(toString(table.takeError()), kFailed);
    auto rows = static_cast<int64_t>(table->size()) / spec->qkRopeHeadDim;
    mla::io::Status status =
        mla::io::writeSafeTensors(tableOption,
                                  {{"cos_sin",
                                    MLA_DTYPE_F32,
                                    {rows, spec->qkRopeHeadDim},
                                    table->data(),
                                    table->size() * sizeof(float)}},
                                  {{"model", spec->model}});
    if (!status)
      return report(status.error(), kFailed);
  }
  return writeOutput(text);
}

/// The option parser's message, in the form that all tools' messages have.
int reportUsage(StringRef message) {
  StringRef line = message.trim().split('\n').first.trim();
  line.consume_front("mla-import: ");
  return report(line, kUsage);
}

} // namespace

int main(int argc, char **argv) {
  setVersionPrinter("mla-import");
  cl::HideUnrelatedOptions(category);
  std::string messages;
  raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(argc, argv,
                                   "The attention core of a model with "
                                   "multi-head latent attention, from its\n"
                                   "Hugging Face config or from recorded "
                                   "tensors, as a module of the mla "
                                   "dialect.\n",
                                   &stream))
    return reportUsage(messages);
  return run();
}
