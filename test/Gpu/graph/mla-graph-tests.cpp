//===- mla-graph-tests.cpp - Decode steps in CUDA graphs ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   mla-graph-tests [--device=cuda|cpu] [--replays=N] [--entries=TEXT]
//   MODULE...
//
// Records every entry of the modules whose name has TEXT in it, or calls it
// again and again on the CPU, while lengths, pages, positions and padding
// change in place. What one call gives is compared with the CPU's, and entries
// that differ in their number of layers must have kernels in proportion. The
// last line is `N passed, N failed`. Exit status: 0 all
// passed, 1 not, 2 bad usage, 77 without a GPU.
//
//===----------------------------------------------------------------------===//

#include "Checks.h"
#include "LayerNames.h"
#include "WholeStep.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mla;
using namespace mla::graph;

namespace {

constexpr int kSkipped = 77;

struct Options {
  std::string device = "cuda", entries;
  int64_t replays = 1000;
  std::vector<std::string> modules;
};

struct ContextDeleter {
  void operator()(mla_context *ctx) const { mla_context_destroy(ctx); }
};
using ContextPtr = std::unique_ptr<mla_context, ContextDeleter>;

io::Result<ContextPtr> makeContext(const std::string &device) {
  mla_context *ctx = nullptr;
  if (mla_context_create(device.c_str(), 0, &ctx) != MLA_STATUS_OK)
    return io::Error{mla_last_error(nullptr)};
  return ContextPtr(ctx);
}

/// Rows of a page, as the cache's type says.
StepSizes getSizes(const io::ManifestEntry &entry) {
  StepSizes sizes;
  const io::ManifestArg *cache = run::findOfAnyLayer(entry, "cache");
  if (cache && cache->shape.size() == 3 && cache->shape[1].symbol.empty())
    sizes.pageSize = cache->shape[1].offset;
  return sizes;
}

/// `kernels` becomes how many a replay launches, where that is known.
io::Status checkEntry(const io::ManifestEntry &entry, mla_entry_fn function,
                      const Options &options, std::optional<int64_t> &kernels) {
  // Contexts outlive what uses them.
  io::Result<ContextPtr> ctx = makeContext(options.device);
  io::Result<ContextPtr> eagerCtx = makeContext(options.device);
  io::Result<ContextPtr> cpuCtx = makeContext("cpu");
  if (!ctx || !eagerCtx || !cpuCtx)
    return io::Error{ctx.error() + eagerCtx.error() + cpuCtx.error()};
  StepSizes sizes = getSizes(entry);
  std::vector<Metadata> batches = makeBatches(sizes);
  auto step = DecodeStep::make(ctx->get(), entry, function, sizes);
  auto eager = DecodeStep::make(eagerCtx->get(), entry, function, sizes);
  auto reference = DecodeStep::make(cpuCtx->get(), entry, function, sizes);
  if (!step || !eager || !reference)
    return io::Error{step.error() + eager.error() + reference.error()};
  // The batch that is there at capture must not matter.
  if (io::Status prepared = step->prepare(batches.back()); !prepared)
    return prepared;

  Call call = [&] { return step->call(); };
  std::unique_ptr<Graph> graph = makeRepeatedCall(call);
  if (options.device != "cpu") {
    auto captured = capture(ctx->get(), call);
    if (!captured)
      return io::Error{"capture: " + captured.error()};
    graph = std::move(*captured);
  }
  kernels = graph->countKernels();
  Recorded recorded{ctx->get(), *step, *graph, eagerCtx->get(), *eager};
  if (io::Status status = checkReplays(recorded, batches, options.replays);
      !status)
    return status;
  if (io::Status status = checkStale(recorded, sizes, batches[0]); !status)
    return status;
  // An absorbed query in fp8 is off by a step of fp8 wherever the products'
  // last bits decide.
  if (run::findOfAnyLayer(entry, "query_scale"))
    return {};
  return checkBackends(*eager, *reference, {batches[0], batches[1]});
}

/// Adds to the counts; false when the module can't be used.
io::Status checkModule(const std::string &path, const Options &options,
                       int &passed, int &failed) {
  mla_module *loaded = nullptr;
  if (mla_module_load(path.c_str(), &loaded) != MLA_STATUS_OK)
    return io::Error{mla_last_error(nullptr)};
  std::unique_ptr<mla_module, decltype(&mla_module_unload)> module(
      loaded, mla_module_unload);
  auto manifest = io::parseManifest(mla_module_manifest(loaded), path);
  if (!manifest)
    return io::Error{manifest.error()};
  std::string name = path.substr(path.rfind('/') + 1);
  auto count = [&](const std::string &what, const io::Status &status) {
    ++(status ? passed : failed);
    std::printf("%s %s: %s\n", name.c_str(), what.c_str(),
                status ? "passed" : ("FAILED: " + status.error()).c_str());
    std::fflush(stdout);
  };
  std::map<std::string, KernelsByLayers> kernelsOf;
  for (const io::ManifestEntry &entry : manifest->entries) {
    if (entry.name.find(options.entries) == std::string::npos)
      continue;
    std::optional<int64_t> kernels;
    io::Status status = checkEntry(
        entry, mla_module_entry(loaded, entry.name.c_str()), options, kernels);
    if (kernels)
      kernelsOf[getStem(entry)][countLayers(entry)] = *kernels;
    count(entry.name + (kernels ? ", kernels " + std::to_string(*kernels) : ""),
          status);
  }
  for (const auto &[stem, kernels] : kernelsOf)
    if (kernels.size() > 1)
      count(stem + " of several layers", checkLaunches(kernels));
  return {};
}

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-graph-tests: error: %s\n", message.c_str());
  return status;
}

/// Empty, or what is wrong.
std::string parse(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    auto value = [&](const char *option) {
      return word.rfind(option, 0) == 0 ? word.c_str() + std::strlen(option)
                                        : nullptr;
    };
    if (const char *device = value("--device="))
      options.device = device;
    else if (const char *entries = value("--entries="))
      options.entries = entries;
    else if (const char *replays = value("--replays="))
      options.replays = std::atoll(replays);
    else if (word.rfind("--", 0) == 0)
      return "expected --device=, --entries= or --replays=, got " + word;
    else
      options.modules.push_back(word);
  }
  if (options.modules.empty() || options.replays < 1)
    return "expected modules and a positive number of replays, got others";
  return "";
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  if (std::string wrong = parse(argc, argv, options); !wrong.empty())
    return report(wrong, 2);
  if (auto ctx = makeContext(options.device); !ctx) {
    std::printf("skipped: %s\n", ctx.error().c_str());
    return kSkipped;
  }
  int passed = 0, failed = 0;
  for (const std::string &path : options.modules)
    if (io::Status status = checkModule(path, options, passed, failed); !status)
      return report(status.error(), 1);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed ? 1 : 0;
}
