//===- mla-bench.cpp - Times the operations against the machine -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "Report.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>

namespace mla::bench {
namespace {

constexpr int kFailed = 1, kUsage = 2;

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-bench: error: %s\n", message.c_str());
  return status;
}

std::string version() {
  return std::string("mla-bench ") + MLA_VERSION_STRING + " (no LLVM, ABI " +
         std::to_string(mla_abi_version()) + ", backends cpu" +
         (hasCuda() ? ", cuda" : "") + ")";
}

std::vector<Case> chooseCases(const Options &options) {
  std::vector<Case> all = options.cases, chosen;
  for (const std::string &grid : options.grids)
    for (const Case &c : makeGrid(grid, options.grid))
      all.push_back(c);
  for (const Case &c : all)
    for (const std::string &format : options.caches)
      if (std::optional<Case> one = withCache(c, format);
          one && one->name().find(options.filter) != std::string::npos)
        chosen.push_back(*one);
  return chosen;
}

io::Result<std::vector<StepCase>> chooseSteps(const Options &options) {
  std::vector<StepCase> steps;
  for (const std::string &path : options.modules) {
    io::Result<std::shared_ptr<const StepModule>> module =
        StepModule::load(path, options.entry);
    if (!module)
      return io::Error{module.error()};
    for (auto [batch, keys] : options.grid.batches)
      if (StepCase step(*module, batch, keys, options.tokens);
          step.name().find(options.filter) != std::string::npos)
        steps.push_back(step);
  }
  return steps;
}

io::Result<std::unique_ptr<Device>> makeDevice(mla_context *ctx,
                                               const io::DeviceName &name) {
  if (name.backend == "cuda")
    return makeCudaDevice(ctx, name.number);
  return makeCpuDevice(ctx);
}

int run(Options &options) {
  if (io::Status status = interpret(options); !status)
    return report(status.error(), kUsage);
  for (const std::string &path : options.files) {
    io::Result<std::vector<Case>> cases = readCases(path);
    if (!cases)
      return report(cases.error(), kFailed);
    options.cases.insert(options.cases.end(), cases->begin(), cases->end());
  }
  std::vector<Case> cases = chooseCases(options);
  io::Result<std::vector<StepCase>> steps = chooseSteps(options);
  if (!steps)
    return report(steps.error(), kFailed);
  if (cases.empty() && steps->empty())
    return report("--filter: expected a part of a case's name, got '" +
                      options.filter + "'; see --list",
                  kUsage);
  if (options.list) {
    for (const Case &c : cases)
      std::printf("%s\n", c.name().c_str());
    for (const StepCase &step : *steps)
      std::printf("%s\n", step.name().c_str());
    return 0;
  }
  mla_context *created = nullptr;
  if (mla_context_create(options.name.backend.c_str(), options.name.number,
                         &created))
    return report(std::string("--device: ") + mla_last_error(nullptr), kFailed);
  std::unique_ptr<mla_context, void (*)(mla_context *)> context(
      created, mla_context_destroy);
  // Opened first: measuring takes minutes.
  std::ofstream file;
  if (!options.json.empty()) {
    file.open(options.json);
    if (!file)
      return report(options.json + ": expected a file that can be written",
                    kFailed);
  }

  io::Result<std::unique_ptr<Device>> made = makeDevice(created, options.name);
  if (!made)
    return report("--device: " + made.error(), kFailed);
  std::unique_ptr<Device> device = std::move(*made);
  if (options.threads.empty())
    options.threads = {device->defaultThreads()};
  std::vector<BenchRun> runs;
  for (int threads : options.threads) {
    if (mla_context_set_sm_limit(created, threads))
      return report(mla_last_error(created), kFailed);
    BenchOptions bench = options.bench;
    bench.threads = bench.ceilings.threads = threads;
    bench.ceilings.bufferBytes = static_cast<uint64_t>(options.bufferMiB) << 20;
    Bench measurer(created, *device, bench);
    if (io::Status status = measurer.measureCeilings(); !status)
      return report(status.error(), kFailed);
    runs.push_back({threads, bench.spread, measurer.ceilings(), {}, {}});
    printCeilings(*device, threads, measurer.ceilings());
    if (!cases.empty())
      printHeader(*device);
    for (const Case &c : cases) {
      io::Result<Measurement> m = measurer.measure(c);
      if (!m)
        return report(m.error(), kFailed);
      printRow(*device, *m);
      runs.back().measurements.push_back(*m);
    }
    if (!steps->empty())
      printStepHeader();
    for (const StepCase &step : *steps) {
      io::Result<StepMeasurement> m = measurer.measure(step);
      if (!m)
        return report(m.error(), kFailed);
      printStep(*m);
      runs.back().steps.push_back(*m);
    }
  }
  if (file.is_open()) {
    file << toJson(options.device, options.commit, *device, runs);
    if (!file.flush())
      return report(options.json + ": expected room for the results, got none",
                    kFailed);
  }
  return 0;
}

int parseAndRun(int argc, char **argv) {
  Options options;
  CLI::App app("Times the operations and says how close they come to what the "
               "machine can do.",
               "mla-bench");
  app.set_version_flag("--version", version);
  addOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) { // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    return report(std::string(error.what()) + "; see --help", kUsage);
  }
  return run(options);
}

} // namespace
} // namespace mla::bench

int main(int argc, char **argv) {
  try {
    return mla::bench::parseAndRun(argc, argv);
  } catch (const std::exception &error) {
    return mla::bench::report(
        std::string("expected memory enough, got ") + error.what(), 1);
  }
}
