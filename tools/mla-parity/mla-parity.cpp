//===- mla-parity.cpp - Compares compiled cores with recorded tensors -----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundle.h"
#include "Cases.h"
#include "Golden.h"
#include "ModelTable.h"
#include "Plans.h"
#include "Report.h"
#include "Runner.h"

#include "io/File.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>

using namespace mla;
using namespace mla::parity;

namespace {

constexpr int kFailed = 1, kUsage = 2;
constexpr const char *kSkipRope = "SKIP_ROPE_IN_MLA_GENERATION";

constexpr const char *kExamples = R"(
EXAMPLES:
  mla-parity deepseek_v3.safetensors kimi_linear.safetensors
  mla-parity deepseek_v3.safetensors --dtype=f32 --page-size=1,16,64 --heads=2,128
  mla-parity deepseek_v3.safetensors --cache=fp8,fp8_block --forms=absorbed,chunked-5
  mla-parity build *.safetensors -o parity    needs mla-import and mla-compile
  mla-parity run parity --device=cpu          needs neither
  mla-parity run parity --device=cuda:1       the second GPU
  mla-parity run parity --json=parity.json --dump=outputs
  mla-parity *.safetensors --quiet --markdown=models.md
  mla-parity *.safetensors --quiet --cache=same,fp8,fp8_query,fp8_block \
      --page-size=1,16,64 --heads=2,3,20,128 --forms=absorbed,expanded,chunked-5,chunked-16,auto
                                              everything

A file holds what a model's attention was given and what it computed. Every core is
compiled in these forms:
  absorbed   all heads attend to the cache
  expanded   keys and values are rebuilt from the cache, then attended to
  chunked-N  the same, at most N keys of a sequence at a time, the states merged
  auto       the cheaper one; sequences in generation apart
and each is run by these plans, over a paged cache whose unused rows are NaN:
  prefill    all tokens in one call
  stepwise   half of them in one call, then token by token
  batch      sequences cut at different lengths in one call, after their prefixes
  mixed      sequences in generation before others in context, as the host knows
The cache has the activations' type or one of these formats:
  fp8        a scale for its latents, one for its pe columns
  fp8_query  the same, with a query in fp8; absorbed and auto alone
  fp8_block  a scale for 128 latents of a row, 16-bit pe columns

The output is compared with the recorded one, with a quantized cache with attention in
float64 over what the cache holds, which is itself checked.

Exit status: 0 all passed, 1 something failed, was skipped or is bad input, 2 bad usage.
)";

struct Options {
  std::vector<std::string> files;
  std::string directory;
  BuildOptions build{{"absorbed", "expanded", "chunked-16", "auto"},
                     {"f32", "bf16", "f16"},
                     {"same"},
                     {64},
                     {}};
  std::string device = "cpu";
  std::vector<std::string> plans = getPlanNames();
  std::string json, markdown, dump;
  bool allowSkip = false, isQuiet = false;
};

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-parity: error: %s\n", message.c_str());
  return status;
}

//===--- The command line -------------------------------------------------===//

CLI::Validator oneOf(const std::vector<std::string> &names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i)
    list += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
  return CLI::Validator(
      [=](std::string &word) {
        return std::count(names.begin(), names.end(), word)
                   ? ""
                   : "expected " + list + ", got '" + word + "'";
      },
      "");
}

CLI::Validator form() {
  return CLI::Validator(
      [](std::string &word) {
        return isForm(word) ? ""
                            : "expected absorbed, expanded, chunked-N or auto, "
                              "got '" +
                                  word + "'";
      },
      "");
}

CLI::Validator deviceName() {
  return CLI::Validator(
      [](std::string &word) { return io::parseDeviceName(word).error(); }, "");
}

CLI::Validator positive() {
  constexpr int64_t highest = 1 << 16;
  return CLI::Validator(
      [](std::string &word) {
        char *end = nullptr;
        long long value = std::strtoll(word.c_str(), &end, 10);
        return !word.empty() && !*end && value >= 1 && value <= highest
                   ? ""
                   : "expected an integer from 1 to " +
                         std::to_string(highest) + ", got '" + word + "'";
      },
      "");
}

/// A comma-separated list in one word.
template <typename T>
void addList(CLI::App &app, const std::string &name, std::vector<T> &values,
             const std::string &description, const std::string &type,
             const CLI::Validator &validator) {
  app.add_option(name, values, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name(type)
      ->check(validator);
}

void addBuildOptions(CLI::App &app, Options &options) {
  addList(app, "--dtype", options.build.dtypes,
          "Types of activations, comma-separated (default f32,bf16,f16)",
          "TYPE", oneOf({"f32", "bf16", "f16"}));
  addList(app, "--cache", options.build.caches,
          "Formats of the cache: same (default), fp8, fp8_query, fp8_block",
          "FORMAT", oneOf(getCacheNames()));
  addList(app, "--page-size", options.build.pageSizes,
          "Tokens a page of the cache (default 64)", "TOKENS", positive());
  addList(app, "--heads", options.build.heads,
          "Query heads; the recorded ones are repeated (default: as recorded)",
          "NUMBER", positive());
}

void addRunOptions(CLI::App &app, Options &options) {
  app.add_option("--device", options.device,
                 "Where to run: cpu (default), cuda or cuda:NUMBER")
      ->type_name("DEVICE")
      ->check(deviceName());
  addList(app, "--plans", options.plans,
          "Plans to run (default prefill,stepwise,batch,mixed)", "PLAN",
          oneOf(getPlanNames()));
  app.add_option("--json", options.json, "Write the results as JSON")
      ->type_name("FILE");
  app.add_option("--markdown", options.markdown,
                 "Write a table with a line a model in Markdown, if all passed")
      ->type_name("FILE");
  app.add_option("--dump", options.dump,
                 "Write every output to a .safetensors in this directory")
      ->type_name("DIR");
  app.add_flag("--allow-skip", options.allowSkip,
               "Exit 0 although something was skipped");
  app.add_flag("--quiet", options.isQuiet,
               "Of the table, only rows that didn't pass");
}

void addFormOption(CLI::App &app, Options &options,
                   const std::string &description) {
  addList(app, "--forms", options.build.forms, description, "FORM", form());
}

std::string getVersion() {
  std::string backends = "cpu";
  if (createContext({"cuda", 0}))
    backends += ", cuda";
  return std::string("mla-parity ") + MLA_VERSION_STRING + " (no LLVM, ABI " +
         std::to_string(mla_abi_version()) + ", backends " + backends + ")";
}

//===--- Commands ---------------------------------------------------------===//

/// What a user set for a serving engine is not what is compared here: the
/// model's own attention. Child processes inherit the environment.
void ignoreSkipRope() {
  const char *value = std::getenv(kSkipRope);
  if (!value || !*value || std::string(value) == "0")
    return;
  std::fprintf(stderr,
               "mla-parity: note: %s is ignored: what is compared is the "
               "model's own attention\n",
               kSkipRope);
  unsetenv(kSkipRope);
}

/// Every value once, where it comes first.
template <typename T> void makeUnique(std::vector<T> &values) {
  auto end = values.end();
  for (auto it = values.begin(); it != end; ++it)
    end = std::remove(it + 1, end, T(*it));
  values.erase(end, values.end());
}

io::Status writeModelTable(const std::string &path, const Bundle &bundle,
                           const Report &results) {
  std::vector<Golden> models;
  for (const Case &one : bundle.cases) {
    auto golden = Golden::read(bundle.getPath(one, ".safetensors"));
    if (!golden)
      return io::Error{golden.error()};
    models.push_back(std::move(*golden));
  }
  return io::writeFile(path, getModelTable(models, results.getRows()));
}

int runBundle(const Bundle &bundle, const Options &options) {
  Session session;
  auto ctx = createContext(*io::parseDeviceName(options.device));
  if (!ctx)
    return report("--device: " + ctx.error(), kFailed);
  session.ctx = std::move(*ctx);
  std::error_code error;
  if (!options.dump.empty()) {
    std::filesystem::create_directories(options.dump, error);
    if (error)
      return report(options.dump + ": expected a directory to write, got: " +
                        error.message(),
                    kFailed);
  }
  size_t width = 0;
  for (const Case &one : bundle.cases)
    width = std::max(width, one.model.size());
  Report results(width, options.isQuiet);
  std::vector<std::string> forms = options.build.forms;
  CaseOptions caseOptions{forms.empty() ? bundle.forms : forms, options.plans,
                          options.dump};
  for (const Case &one : bundle.cases)
    if (auto done = runCase(bundle, one, caseOptions, session, results); !done)
      return report(done.error(), kFailed);
  // Nothing compared is nothing that passed: fp8_query, say, in the expanded
  // form alone.
  if (results.isEmpty()) {
    std::string asked;
    for (const std::string &form : caseOptions.forms)
      asked += (asked.empty() ? "" : ",") + form;
    return report("--forms: expected a form that a core has, got " + asked,
                  kFailed);
  }
  results.printSummary();
  if (!options.json.empty())
    if (auto written = results.writeJSON(options.json, options.device);
        !written)
      return report(written.error(), kFailed);
  if (!options.markdown.empty()) {
    if (results.count(Status::Pass) !=
        static_cast<int>(results.getRows().size()))
      std::fprintf(stderr,
                   "mla-parity: note: %s is not written: it is for models that "
                   "passed\n",
                   options.markdown.c_str());
    else if (auto written = writeModelTable(options.markdown, bundle, results);
             !written)
      return report(written.error(), kFailed);
  }
  bool isClean = results.count(Status::Fail) == 0 &&
                 (options.allowSkip || results.count(Status::Skipped) == 0);
  return isClean ? 0 : kFailed;
}

int build(const Options &options) {
  auto bundle = buildBundle(options.files, options.directory, options.build);
  if (!bundle)
    return report(bundle.error(), kFailed);
  std::fprintf(stderr, "mla-parity: note: built %zu in %s\n",
               bundle->cases.size(), options.directory.c_str());
  return 0;
}

int run(const Options &options) {
  auto bundle = Bundle::read(options.directory);
  if (!bundle)
    return report(bundle.error(), kFailed);
  for (const std::string &form : options.build.forms)
    if (!std::count(bundle->forms.begin(), bundle->forms.end(), form))
      return report("--forms: expected forms that " + options.directory +
                        " was built with, got '" + form + "'",
                    kFailed);
  return runBundle(*bundle, options);
}

/// A directory that goes with the object.
struct TemporaryDirectory {
  std::string path;
  TemporaryDirectory() {
    std::error_code error;
    auto parent = std::filesystem::temp_directory_path(error);
    path = (parent / "mla-parity-XXXXXX").string();
    if (error || !mkdtemp(path.data()))
      path.clear();
  }
  ~TemporaryDirectory() {
    std::error_code error;
    if (!path.empty())
      std::filesystem::remove_all(path, error);
  }
};

int buildAndRun(const Options &options) {
  TemporaryDirectory directory;
  if (directory.path.empty())
    return report("expected a place for temporary files, got none", kFailed);
  auto bundle = buildBundle(options.files, directory.path, options.build);
  if (!bundle)
    return report(bundle.error(), kFailed);
  return runBundle(*bundle, options);
}

int parseAndRun(int argc, char **argv) {
  Options options;
  CLI::App app("Does a compiled attention core reproduce what a framework "
               "computed?\n",
               "mla-parity");
  app.footer(kExamples);
  app.set_version_flag("--version", getVersion);
  app.require_subcommand(0, 1);
  app.add_option("FILES", options.files, "Recorded tensors, .safetensors")
      ->type_name("");
  addFormOption(app, options,
                "Forms (default absorbed,expanded,chunked-16,auto)");
  addBuildOptions(app, options);
  addRunOptions(app, options);

  CLI::App *buildCommand = app.add_subcommand(
      "build", "Import and compile the cores of FILES into a directory");
  buildCommand->add_option("FILES", options.files, "Recorded tensors")
      ->required()
      ->type_name("");
  buildCommand->add_option("-o", options.directory, "The directory")
      ->required()
      ->type_name("DIR");
  addFormOption(*buildCommand, options,
                "Forms to build (default absorbed,expanded,chunked-16,auto)");
  addBuildOptions(*buildCommand, options);
  CLI::App *runCommand =
      app.add_subcommand("run", "Run and compare what build wrote");
  runCommand->add_option("DIR", options.directory, "The directory")
      ->required()
      ->type_name("");
  std::vector<std::string> someForms;
  addList(*runCommand, "--forms", someForms,
          "Forms to run (default: those that were built)", "FORM", form());
  addRunOptions(*runCommand, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return app.exit(error);
    return report(std::string(error.what()) + "; see --help", kUsage);
  }
  ignoreSkipRope();
  for (std::vector<std::string> *words :
       {&options.build.forms, &options.build.dtypes, &options.build.caches,
        &options.plans, &someForms})
    makeUnique(*words);
  makeUnique(options.build.pageSizes);
  makeUnique(options.build.heads);
  if (buildCommand->parsed())
    return build(options);
  if (runCommand->parsed()) {
    options.build.forms = someForms;
    return run(options);
  }
  if (options.files.empty())
    return report("expected FILES, build or run, got nothing; see --help",
                  kUsage);
  return buildAndRun(options);
}

} // namespace

int main(int argc, char **argv) {
  try {
    return parseAndRun(argc, argv);
  } catch (const std::exception &error) {
    return report(std::string("expected to finish, got: ") + error.what(),
                  kFailed);
  }
}
