//===- mla-bench.cpp - Times the operations against the machine -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <CLI/CLI.hpp>
#include <cmath>

#include <cstdio>
#include <fstream>

namespace mla::bench {
namespace {

constexpr int kFailed = 1, kUsage = 2;

struct Options {
  std::string device = "cpu", json, filter;
  std::vector<std::string> grids = gridNames();
  std::vector<int> threads;
  std::vector<std::string> dtypes, batches;
  int64_t bufferMiB = 0;
  bool list = false;
  GridOptions grid;
  BenchOptions bench;
};

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-bench: error: %s\n", message.c_str());
  return status;
}

std::string version() {
  return std::string("mla-bench ") + MLA_VERSION_STRING + " (no LLVM, ABI " +
         std::to_string(mla_abi_version()) + ", devices cpu)";
}

/// "16x4096"; false when it is none.
bool parseBatch(const std::string &text, std::pair<int64_t, int64_t> &batch) {
  size_t x = text.find('x');
  if (x == std::string::npos)
    return false;
  auto parse = [](const std::string &digits, int64_t &value) {
    if (digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      return false;
    value = std::stoll(digits);
    return value > 0;
  };
  return parse(text.substr(0, x), batch.first) &&
         parse(text.substr(x + 1), batch.second);
}

/// Fills in what the words on the command line stand for; a sentence when one
/// stands for nothing.
io::Status interpret(Options &options) {
  if (options.device != "cpu")
    return io::Error{"--device: expected cpu, got '" + options.device + "'"};
  // Ranges let these through, and no time would ever be enough.
  for (const auto &[name, seconds] :
       {std::pair<const char *, double>{"--seconds", options.bench.seconds},
        {"--ceiling-seconds", options.bench.ceilings.seconds}})
    if (std::isnan(seconds))
      return io::Error{std::string(name) + ": expected a number, got nan"};
  for (const std::string &name : options.grids)
    if (makeGrid(name, {}).empty())
      return io::Error{"--grid: expected decode, prefill or steps, got '" +
                       name + "'"};
  for (const std::string &name : options.dtypes) {
    if (name == "bf16")
      options.grid.dtypes.push_back(MLA_DTYPE_BF16);
    else if (name == "f16")
      options.grid.dtypes.push_back(MLA_DTYPE_F16);
    else if (name == "f32")
      options.grid.dtypes.push_back(MLA_DTYPE_F32);
    else if (name == "fp8")
      options.grid.dtypes.push_back(MLA_DTYPE_F8E4M3FN);
    else
      return io::Error{"--dtype: expected bf16, f16, f32 or fp8, got '" + name +
                       "'"};
  }
  for (const std::string &text : options.batches)
    if (!parseBatch(text, options.grid.batches.emplace_back()))
      return io::Error{"--batch: expected BxKEYS with both > 0, got '" + text +
                       "'"};
  return {};
}

std::vector<Case> chooseCases(const Options &options) {
  std::vector<Case> cases;
  for (const std::string &grid : options.grids)
    for (const Case &c : makeGrid(grid, options.grid))
      if (c.name().find(options.filter) != std::string::npos)
        cases.push_back(c);
  return cases;
}

int run(Options &options) {
  if (io::Status status = interpret(options); !status)
    return report(status.error(), kUsage);
  std::vector<Case> cases = chooseCases(options);
  if (cases.empty())
    return report("--filter: expected a part of a case's name, got '" +
                      options.filter + "'; see --list",
                  kUsage);
  if (options.list) {
    for (const Case &c : cases)
      std::printf("%s\n", c.name().c_str());
    return 0;
  }
  mla_context *created = nullptr;
  if (mla_context_create(options.device.c_str(), 0, &created))
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

  std::unique_ptr<Device> device = makeCpuDevice(created);
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
    runs.push_back({threads, measurer.ceilings(), {}});
    printCeilings(*device, threads, measurer.ceilings());
    printHeader();
    for (const Case &c : cases) {
      io::Result<Measurement> m = measurer.measure(c);
      if (!m)
        return report(m.error(), kFailed);
      printRow(*m);
      runs.back().measurements.push_back(*m);
    }
  }
  if (file.is_open()) {
    file << toJson(options.device, *device, runs);
    if (!file.flush())
      return report(options.json + ": expected room for the results, got none",
                    kFailed);
  }
  return 0;
}

constexpr const char *kExamples = R"(
Times the operations of the runtime's C ABI on made-up data, and compares each with the
roofline of this machine: the time that its bytes take at the measured bandwidth, or its
multiply-adds at the measured peak, whichever is longer. The ceilings are measured in the
same run, with the same number of threads. "share" is the roofline's time over the least
measured: with memory's bandwidth; where the operands fit in the last-level cache also
with the bandwidth over a buffer of that size ("in-cache", GB/s), which is the fair one;
and for bf16 with the peak of bf16 products in place of f32's.

EXAMPLES:
  mla-bench --grid=decode --threads=1,2 --json=decode.json
  mla-bench --grid=decode --dtype=fp8 --heads=128 --batch=16x4096
  mla-bench --grid=steps --filter=append
  mla-bench --list

Exit status: 0 done, 1 a call or a file failed, 2 bad usage.)";

int parseAndRun(int argc, char **argv) {
  Options options;
  CLI::App app("Times the operations and says how close they come to what the "
               "machine can do.",
               "mla-bench");
  app.footer(kExamples);
  app.set_version_flag("--version", version);
  app.add_option("--device", options.device, "cpu (default)");
  app.add_option("--grid", options.grids,
                 "Cases: decode, prefill, steps (default: all)")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_option("--dtype", options.dtypes,
                 "Types instead of the grid's own: bf16, f16, f32, or fp8 for "
                 "bf16 with an fp8 cache")
      ->delimiter(',')
      ->type_name("TYPE,...");
  app.add_option("--heads", options.grid.heads,
                 "Query heads instead of the grid's own")
      ->delimiter(',')
      ->type_name("H,...")
      ->check(CLI::Range(1, 4096));
  app.add_option("--batch", options.batches,
                 "Sequences and keys of each instead of the grid's own")
      ->delimiter(',')
      ->type_name("BxKEYS,...");
  app.add_option("--filter", options.filter,
                 "Only the cases whose name holds this")
      ->type_name("TEXT");
  app.add_flag("--list", options.list, "Show the cases and measure nothing");
  app.add_option("--threads", options.threads,
                 "Threads, one run each (default: the processors there are)")
      ->delimiter(',')
      ->type_name("N,...")
      ->check(CLI::Range(1, 4096));
  app.add_option("--iterations", options.bench.iterations,
                 "Calls that are timed (default: at least 3, until --seconds)")
      ->type_name("N")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 30));
  app.add_option("--seconds", options.bench.seconds,
                 "Time for a case's calls (default: 0.5)")
      ->type_name("S")
      ->check(CLI::Range(0.0, 3600.0));
  app.add_option("--ceiling-seconds", options.bench.ceilings.seconds,
                 "Time for each ceiling (default: 0.3)")
      ->type_name("S")
      ->check(CLI::Range(0.0, 3600.0));
  app.add_option("--buffer-mib", options.bufferMiB,
                 "Buffer for memory's bandwidth (default: four times the "
                 "last-level cache)")
      ->type_name("MIB")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20));
  app.add_option("--json", options.json, "File for the results as JSON")
      ->type_name("FILE");
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
