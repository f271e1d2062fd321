//===- mla-bench.cpp - Times the operations against the machine -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "io/DeviceName.h"

#include <CLI/CLI.hpp>
#include <cmath>

#include <cstdio>
#include <fstream>

namespace mla::bench {
namespace {

constexpr int kFailed = 1, kUsage = 2;

struct Options {
  std::string device = "cpu", json, filter, commit;
  std::vector<std::string> grids, files, caches{"same"};
  io::DeviceName name;
  std::vector<int> threads;
  std::vector<std::string> dtypes, batches;
  int64_t bufferMiB = 0;
  bool list = false;
  GridOptions grid;
  std::vector<Case> cases; ///< Of the files.
  BenchOptions bench;
};

int report(const std::string &message, int status) {
  std::fprintf(stderr, "mla-bench: error: %s\n", message.c_str());
  return status;
}

std::string version() {
  return std::string("mla-bench ") + MLA_VERSION_STRING + " (no LLVM, ABI " +
         std::to_string(mla_abi_version()) + ", backends cpu" +
         (hasCuda() ? ", cuda" : "") + ")";
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
  io::Result<io::DeviceName> name = io::parseDeviceName(options.device);
  if (!name)
    return io::Error{"--device: " + name.error()};
  options.name = *name;
  // Ranges let these through, and no time would ever be enough.
  for (const auto &[name, seconds] :
       {std::pair<const char *, double>{"--seconds", options.bench.seconds},
        {"--ceiling-seconds", options.bench.ceilings.seconds}})
    if (std::isnan(seconds))
      return io::Error{std::string(name) + ": expected a number, got nan"};
  if (options.grids.empty() && options.files.empty())
    options.grids = defaultGrids();
  for (const std::string &name : options.grids)
    if (makeGrid(name, {}).empty())
      return io::Error{"--grid: expected decode, prefill, steps or "
                       "long_prefill, got '" +
                       name + "'"};
  for (const std::string &format : options.caches)
    if (format != "same" && format != "fp8" && format != "fp8_query" &&
        format != "fp8_block")
      return io::Error{"--cache: expected same, fp8, fp8_query or fp8_block, "
                       "got '" +
                       format + "'"};
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
    runs.push_back({threads, measurer.ceilings(), {}});
    printCeilings(*device, threads, measurer.ceilings());
    printHeader(*device);
    for (const Case &c : cases) {
      io::Result<Measurement> m = measurer.measure(c);
      if (!m)
        return report(m.error(), kFailed);
      printRow(*device, *m);
      runs.back().measurements.push_back(*m);
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

constexpr const char *kExamples = R"(
Times the operations of the runtime's C ABI on made-up data, and compares each with the
roofline of this machine: the time that its bytes take at the measured bandwidth, or its
multiply-adds at the measured peak, whichever is longer. The ceilings are measured in the
same run, with the same number of threads. "share" is the roofline's time over the least
measured: with memory's bandwidth; where the operands fit in the last-level cache also
with the bandwidth over a buffer of that size ("in-cache", GB/s), which is the fair one;
and for bf16 with the peak of bf16 products in place of f32's.

On a GPU the ceilings are of kernels of this tool and, for bf16, of a large product by
cuBLASLt. A case is called 21 times, each after 256 MB were written and another 256 MB
read, and timed by events on its stream; below 50 us it is captured, the graph is
what is timed, and "eager" says what the call takes without one. The median counts;
"peer" and "ratio" compare it with what a file says.

EXAMPLES:
  mla-bench --grid=decode --threads=1,2 --json=decode.json
  mla-bench --grid=decode --dtype=fp8 --heads=128 --batch=16x4096
  mla-bench --grid=steps --filter=append
  mla-bench --list
  mla-bench --device=cuda --cases=decode_cases.json --cache=same,fp8,fp8_block
  mla-bench --device=cuda:1 --grid=long_prefill --json=prefill.json --commit=1234abc

Exit status: 0 done, 1 a call or a file failed, 2 bad usage.)";

int parseAndRun(int argc, char **argv) {
  Options options;
  CLI::App app("Times the operations and says how close they come to what the "
               "machine can do.",
               "mla-bench");
  app.footer(kExamples);
  app.set_version_flag("--version", version);
  app.add_option("--device", options.device,
                 "cpu (default), cuda or cuda:NUMBER")
      ->type_name("DEVICE");
  app.add_option("--grid", options.grids,
                 "Cases: decode, prefill, steps (default: these three), "
                 "long_prefill")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_option("--cases", options.files,
                 "Cases of a JSON file, instead of the grids unless --grid "
                 "asks for some")
      ->type_name("FILE");
  app.add_option("--cache", options.caches,
                 "Formats of the 16-bit cases' cache: same (default), fp8, "
                 "fp8_query, fp8_block; a case is left out where it can't have "
                 "one")
      ->delimiter(',')
      ->type_name("FORMAT,...");
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
  app.add_option(
         "--threads", options.threads,
         "Threads, or multiprocessors of a GPU, one run each (default: all "
         "that there are)")
      ->delimiter(',')
      ->type_name("N,...")
      ->check(CLI::Range(1, 4096));
  app.add_option(
         "--iterations", options.bench.iterations,
         "Calls that are timed (default: at least 3, until --seconds; 21 "
         "on a GPU)")
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
                 "last-level cache; 4 GiB on a GPU)")
      ->type_name("MIB")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20));
  app.add_option("--commit", options.commit,
                 "What the JSON says of the source's revision")
      ->type_name("TEXT");
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
