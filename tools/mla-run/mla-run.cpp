//===- mla-run.cpp - Runs a compiled module -------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compiler.h"
#include "LayerNames.h"
#include "Session.h"
#include "io/DeviceName.h"
#include "io/Manifest.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>

namespace mla::run {
namespace {

constexpr int kFailed = 1, kUsage = 2;

struct Options {
  std::string module, entry, device = "cpu", output;
  std::vector<std::string> inputs, calls, sets, checks;
  uint64_t seed = 0;
  int64_t time = 0;
  bool list = false, manifest = false, random = false;
  SessionOptions session;
};

struct Check {
  std::string name;
  double tolerance;
  int compared = 0;
};

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-run: error: %s\n", message.c_str());
  return status;
}

template <typename T> bool parseNumber(const std::string &text, T &value) {
  const char *end = text.data() + text.size();
  auto [next, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && next == end && !text.empty();
}

/// "NAME=NUMBER"; false when it is not.
template <typename T>
bool parsePair(const std::string &text, std::string &name, T &value) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return false;
  name = text.substr(0, equals);
  return parseNumber(text.substr(equals + 1), value);
}

using Context = std::unique_ptr<mla_context, void (*)(mla_context *)>;
using Module = std::unique_ptr<mla_module, void (*)(mla_module *)>;

std::string version() {
  std::string backends;
  for (const char *backend : {"cpu", "cuda"}) {
    mla_context *ctx = nullptr;
    if (mla_context_create(backend, 0, &ctx) == MLA_STATUS_OK)
      backends += (backends.empty() ? "" : ", ") + std::string(backend);
    mla_context_destroy(ctx);
  }
  return std::string("mla-run ") + MLA_VERSION_STRING + " (no LLVM, ABI " +
         std::to_string(mla_abi_version()) + ", backends " + backends + ")";
}

void list(const io::Manifest &manifest) {
  for (const io::ManifestEntry &entry : manifest.entries) {
    std::printf("%s\n", entry.name.c_str());
    for (const io::ManifestArg &arg : entry.args)
      std::printf("  %-14s %-8s %-10s %s\n", arg.name.c_str(), arg.role.c_str(),
                  arg.dtype.c_str(), arg.showShape().c_str());
  }
  for (const std::string &note : manifest.notes)
    std::printf("note: %s\n", note.c_str());
}

/// The entry asked for, or the only one.
io::Result<const io::ManifestEntry *> findEntry(const io::Manifest &manifest,
                                                const Options &options) {
  std::string names;
  for (const io::ManifestEntry &entry : manifest.entries)
    names += (names.empty() ? "" : ", ") + entry.name;
  if (options.entry.empty() && manifest.entries.size() == 1)
    return &manifest.entries.front();
  if (options.entry.empty())
    return io::Error{options.module + ": expected --entry with one of " +
                     names + ", got none"};
  if (const io::ManifestEntry *entry = manifest.find(options.entry))
    return entry;
  return io::Error{options.module + ": expected an entry of " + names +
                   ", got '" + options.entry + "'"};
}

/// Puts each layer's output for one that is named without a layer. Returns a
/// name that is no output's, empty when there is none.
std::string expandChecks(const io::ManifestEntry &entry,
                         std::vector<Check> &checks) {
  std::vector<Check> expanded;
  for (const Check &check : checks) {
    size_t before = expanded.size();
    const io::ManifestArg *exact = entry.find(check.name);
    for (const io::ManifestArg &arg : entry.args)
      if (arg.isWritten() &&
          (exact ? &arg == exact : dropLayer(arg.name) == check.name))
        expanded.push_back({arg.name, check.tolerance});
    if (expanded.size() == before)
      return check.name;
  }
  checks = std::move(expanded);
  return "";
}

/// Compares what a call wrote; false when an output is too far off.
io::Result<bool> runChecks(Session &session, const Session::Files &files,
                           const std::string &place,
                           std::vector<Check> &checks) {
  bool passed = true;
  for (Check &check : checks) {
    const io::NamedTensor *expected = findTensor(files, check.name);
    if (!expected)
      continue;
    io::Result<double> error = session.compare(check.name, *expected);
    if (!error)
      return io::Error{error.error()};
    bool good = *error <= check.tolerance;
    std::printf("%s: %s: error %.3g, tolerance %.3g: %s\n", place.c_str(),
                check.name.c_str(), *error, check.tolerance,
                good ? "passed" : "FAILED");
    ++check.compared;
    passed &= good;
  }
  return passed;
}

int runCalls(const Options &options, Session &session,
             std::vector<Check> &checks) {
  // Files are read up front: a bad one stops everything before anything runs.
  std::vector<io::SafeTensors> shared, calls;
  for (auto [paths, files] :
       {std::pair{&options.inputs, &shared}, std::pair{&options.calls, &calls}})
    for (const std::string &path : *paths) {
      io::Result<io::SafeTensors> file = io::SafeTensors::read(path);
      if (!file)
        return report(file.error(), kFailed);
      files->push_back(std::move(*file));
    }

  bool passed = true;
  size_t count = std::max<size_t>(calls.size(), 1);
  for (size_t i = 0; i < count; ++i) {
    Session::Files files;
    if (!calls.empty())
      files.push_back(&calls[i]);
    for (auto it = shared.rbegin(); it != shared.rend(); ++it)
      files.push_back(&*it);
    std::string place = calls.empty() ? "call" : options.calls[i];
    if (io::Status status = session.call(files); !status)
      return report(place + ": " + status.error(), kFailed);
    io::Result<bool> good = runChecks(session, files, place, checks);
    if (!good)
      return report(place + ": " + good.error(), kFailed);
    passed &= *good;
  }
  for (const Check &check : checks)
    if (!check.compared)
      return report("--check " + check.name +
                        ": expected a tensor of that name in "
                        "a file to compare with, got none",
                    kFailed);

  if (options.time) {
    io::Result<Timing> timing = session.time(options.time);
    if (!timing)
      return report(timing.error(), kFailed);
    std::string each = timing->calls == 1
                           ? ""
                           : ", each the mean of " +
                                 std::to_string(timing->calls) +
                                 " calls that were waited for together";
    std::printf("median %.2f us of %lld runs (least %.2f, most %.2f)%s\n",
                timing->median, static_cast<long long>(options.time),
                timing->least, timing->most, each.c_str());
  }
  if (!options.output.empty())
    if (io::Status status = session.save(options.output); !status)
      return report(status.error(), kFailed);
  return passed ? 0 : kFailed;
}

int run(Options &options) {
  io::Result<io::DeviceName> device = io::parseDeviceName(options.device);
  if (!device)
    return report("--device: " + device.error(), kUsage);
  for (const std::string &text : options.sets) {
    std::string name;
    int64_t value;
    if (!parsePair(text, name, value) || value < 0)
      return report("--set: expected SYMBOL=N with N >= 0, got '" + text + "'",
                    kUsage);
    options.session.sizes[name] = value;
  }
  std::vector<Check> checks;
  for (const std::string &text : options.checks) {
    Check check;
    if (!parsePair(text, check.name, check.tolerance) ||
        !(check.tolerance >= 0))
      return report("--check: expected NAME=TOLERANCE, got '" + text + "'",
                    kUsage);
    checks.push_back(check);
  }
  if (options.random)
    options.session.seed = options.seed;

  CompiledModule compiled;
  std::string path = options.module;
  if (path.size() > 5 && path.compare(path.size() - 5, 5, ".mlir") == 0) {
    io::Result<CompiledModule> result = CompiledModule::compile(path);
    if (!result)
      return report(result.error(), kFailed);
    compiled = std::move(*result);
    path = compiled.path();
  }
  mla_module *loaded = nullptr;
  if (mla_module_load(path.c_str(), &loaded))
    return report(mla_last_error(nullptr), kFailed);
  Module module(loaded, mla_module_unload);
  const char *text = mla_module_manifest(loaded);
  if (options.manifest) {
    std::printf("%s\n", text);
    return 0;
  }
  io::Result<io::Manifest> manifest = io::parseManifest(text, options.module);
  if (!manifest)
    return report(manifest.error(), kFailed);
  if (options.list) {
    list(*manifest);
    return 0;
  }

  io::Result<const io::ManifestEntry *> entry = findEntry(*manifest, options);
  if (!entry)
    return report(entry.error(), kFailed);
  if (std::string unknown = expandChecks(**entry, checks); !unknown.empty())
    return report("--check: expected an output of " + (*entry)->name +
                      ", got '" + unknown + "'",
                  kUsage);
  mla_entry_fn function = mla_module_entry(loaded, (*entry)->name.c_str());
  if (!function)
    return report(mla_last_error(nullptr), kFailed);
  mla_context *created = nullptr;
  if (mla_context_create(device->backend.c_str(), device->number, &created))
    return report(std::string("--device: ") + mla_last_error(nullptr), kFailed);
  Context context(created, mla_context_destroy);
  Session session(created, **entry, function, options.session);
  return runCalls(options, session, checks);
}

constexpr const char *kExamples = R"(
Arguments are tensors by name. --input is for all calls, --call for one; tensors of role
inout, the cache, keep their content from call to call. What no file has is allocated:
inout tensors as 0, inputs only with --random. For an entry of several layers a tensor q
stands for q_0, q_1, ... where no file has these, and --check out=... compares each layer.

EXAMPLES:
  mla-run core.so --list
  mla-run core.so --input weights.safetensors --call prefill.safetensors \
      --call step1.safetensors --set pages=8 --check out=1e-5
  mla-run core.so --random 1 --set B=16 --set kv=4096 --time 100
  mla-run core.so --random 1 --device cuda:1 --time 100
  mla-run core.mlir --random 1 --output out.safetensors

Exit status: 0 done, 1 a failed check or bad input, 2 bad usage.)";

int parseAndRun(int argc, char **argv) {
  Options options;
  CLI::App app("Runs an entry of a compiled module on tensors from files.",
               "mla-run");
  app.footer(kExamples);
  app.set_version_flag("--version", version);
  app.add_option("module", options.module,
                 "Module made by mla-compile; an .mlir is compiled first")
      ->required();
  app.add_flag("--list", options.list, "Show the entries and their arguments");
  app.add_flag("--manifest", options.manifest, "Show the manifest, JSON");
  app.add_option("--entry", options.entry,
                 "Entry to call (default: the only one)");
  app.add_option(
         "--input", options.inputs,
         "Tensors for all calls; of two files that have one, the later counts")
      ->type_name("FILE");
  app.add_option("--call", options.calls,
                 "One call with these tensors, which precede those of --input")
      ->type_name("FILE");
  app.add_option(
         "--set", options.sets,
         "Size of a symbol in the arguments' shapes, or value of a scalar")
      ->type_name("SYMBOL=N");
  CLI::Option *random = app.add_option("--random", options.seed,
                                       "Make up the inputs that no file has")
                            ->type_name("SEED");
  app.add_flag("--poison", options.session.poison,
               "Outputs hold NaN before each call, instead of 0");
  app.add_option("--output", options.output,
                 "File for what the last call wrote: outputs and caches");
  app.add_option(
         "--check", options.checks,
         "Compare an output with the tensor of that name in the call's files: "
         "norm of the difference over norm of the tensor")
      ->type_name("NAME=TOL");
  app.add_option(
         "--time", options.time,
         "Repeat the last call, and show the median in microseconds: of "
         "a call and its end on the CPU; on a GPU of a call among "
         "several enqueued at once, what the device or the host takes, "
         "whichever is longer")
      ->type_name("N")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 30));
  app.add_option("--device", options.device,
                 "cpu (default), cuda or cuda:NUMBER")
      ->type_name("DEVICE");
  app.add_flag("--verbose", options.session.verbose,
               "Say which inputs are converted");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) { // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    return report(std::string(error.what()) + "; see --help", kUsage);
  }
  options.random = random->count() > 0;
  return run(options);
}

} // namespace
} // namespace mla::run

int main(int argc, char **argv) {
  try {
    return mla::run::parseAndRun(argc, argv);
  } catch (const std::exception &error) {
    return mla::run::report(
        std::string("expected memory and time enough, got ") + error.what(), 1);
  }
}
