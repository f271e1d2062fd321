//===- Options.cpp - What the command line asks for -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

using namespace mla;
using namespace mla::bench;

namespace {

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
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

} // namespace

io::Status mla::bench::interpret(Options &options) {
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
  if (options.grids.empty() && options.files.empty() && options.modules.empty())
    options.grids = defaultGrids();
  if (!options.modules.empty() && options.batches.empty())
    return io::Error{"--module: expected --batch=BxKEYS,... beside it, got "
                     "none"};
  if (options.modules.empty() && !options.entry.empty())
    return io::Error{"--entry: expected --module beside it, got none"};
  if (options.graphCalls)
    options.bench.graphCalls = options.bench.graphSteps = *options.graphCalls;
  std::vector<std::string> grids = gridNames();
  for (const std::string &name : options.grids)
    if (std::find(grids.begin(), grids.end(), name) == grids.end())
      return io::Error{"--grid: expected one of " + joined(grids) + ", got '" +
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
  for (auto [batch, keys] : options.grid.batches)
    if (!options.modules.empty() && keys < options.tokens)
      return io::Error{"--tokens: expected no more than the keys of a "
                       "sequence, " +
                       std::to_string(keys) + ", got " +
                       std::to_string(options.tokens)};
  return {};
}

static constexpr const char *footer = R"(
Times the operations of the runtime's C ABI on made-up data, and compares each with the
roofline of this machine: the time that its bytes take at the measured bandwidth, or its
multiply-adds at the measured peak, whichever is longer. The ceilings are measured in the
same run, with the same number of threads. "share" is the roofline's time over the least
measured: with memory's bandwidth; where the operands fit in the last-level cache also
with the bandwidth over a buffer of that size ("in-cache", GB/s), which is the fair one;
and for bf16 with the peak of bf16 products in place of f32's.

A case is called on several sets of operands in turn, each with its own memory and its
own places in cache and tables. append and gather_kv, which move data, are compared with a
plain copy of the same rows on the same sets as well: "of-copy" is its time over theirs.

On a GPU the ceilings are of kernels of this tool and, for bf16 and fp8 products, of
cuBLASLt. A case is called 21 times, each after 256 MB were written and another 256 MB
read, and timed by events on its stream. Below 50 us a graph of many calls, each on a set
of its own, is timed in the same way, and its time over their number counts, unless a
file says what others need: that is of single calls, and "peer" and "ratio" compare with
it. The median counts.

A step (--module) is an entry of a compiled module, of one or more layers. Its arguments
are made by their names, those of mla-import: every layer has its own weights and cache.
It is captured as one graph, which is replayed as above, with a cold L2; then each of its
calls is timed alone in the same way, one for every layer. "bound" is, for a layer, its
attention alone + its weights at the bandwidth of reading + 2.5 us + 1 us a launch.

FILES: {"cases": [{"op": ..., ...}, ...]}. Without "op" a case is absorbed_attention,
without "dtype" bf16. Sizes have two names; what is in brackets may be left out:
  absorbed_attention  batch B, heads H, kv_len kv, [query_tokens, latent L, pe R,
                      page_size P, topk, cache, query_dtype, kv_lens]
  expanded_attention  batch B, heads H, kv_len kv, [query_tokens, nope N, value V, pe R,
                      kv_lens]
  expand_kv           rows S, heads H, [latent L, nope N, value V]
  absorb_q            tokens T, heads H, [latent L, nope N, pe R]
  project_v           tokens T, heads H, [latent L, value V]
  append              tokens T, heads H, [latent L, nope N, pe R, page_size P, sliced,
                      phase, rope, query, query_dtype, cache]
  gather_kv           batch B, kv_len kv, [latent L, pe R, page_size P, cache, kv_lens]
  merge_states        tokens T, heads H, states S, [latent L]
cache: same, fp8, fp8_block. query_dtype: same, or fp8 with an fp8 cache. phase:
generation, context. rope: interleaved, half, none. query: assembled, in_place, pe, none.
sliced: false, true. The first of each is meant where nothing is said. A field may be a
list: the product of all lists is meant, without what there is no call for. kv_lens are
the keys of each sequence; each token attends to topk of those that it sees, chosen at
random, or with 0 to all; "limit_us", "peers_us" and "best_peer_us" are what a case is
compared with.

EXAMPLES:
  mla-bench --grid=decode --threads=1,2 --json=decode.json
  mla-bench --grid=decode --dtype=fp8 --heads=128 --batch=16x4096
  mla-bench --grid=steps --filter=append
  mla-bench --list --grid=append
  mla-bench --device=cuda --cases=decode_cases.json --cache=same,fp8,fp8_block
  mla-bench --device=cuda --grid=append --peers --json=append.json
  mla-bench --device=cuda --module=step.so --batch=1x1024,16x4096 --json=step.json
  mla-bench --device=cuda:1 --grid=long_prefill --json=prefill.json --commit=1234abc

Exit status: 0 done, 1 a call or a file failed, 2 bad usage.)";

void mla::bench::addOptions(CLI::App &app, Options &options) {
  app.footer(footer);
  app.add_option("--device", options.device,
                 "cpu (default), cuda or cuda:NUMBER")
      ->type_name("DEVICE");
  app.add_option("--grid", options.grids,
                 "Cases: " + joined(gridNames()) +
                     " (default: " + joined(defaultGrids()) + ")")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_option("--cases", options.files,
                 "Cases of a JSON file, instead of the grids unless --grid "
                 "asks for some; FILES below")
      ->type_name("FILE");
  app.add_option("--module", options.modules,
                 "Steps of compiled modules, instead of the grids unless "
                 "--grid asks for some; with --batch")
      ->delimiter(',')
      ->type_name("FILE,...");
  app.add_option("--entry", options.entry,
                 "Of the modules (default: the only one)")
      ->type_name("NAME");
  app.add_option("--tokens", options.tokens,
                 "New tokens of each sequence of a step (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20));
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
                 "Sequences and keys of each instead of the grid's own; of the "
                 "grids of append as many tokens as sequences")
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
  app.add_option("--graph-calls", options.graphCalls,
                 "Most calls in a graph, each on operands of its own; fewer "
                 "where those would take more than 4 GiB (default: 100; of "
                 "steps 1, and as many as asked for)")
      ->type_name("N")
      ->check(CLI::Range(int64_t(1), int64_t(100000)));
  app.add_flag("--peers", options.bench.peers,
               "Time also what engines do in place of append, on a GPU: five "
               "launches, or one that always rotates by a table");
  app.add_option("--spread", options.bench.spread,
                 "Standard deviation of the made-up numbers (default: 0.1, as "
                 "in FlashMLA's tests); the more bits change, the lower the "
                 "clock that a GPU's power allows")
      ->type_name("S")
      ->check(CLI::Range(1e-3, 100.0));
  app.add_option("--commit", options.commit,
                 "What the JSON says of the source's revision")
      ->type_name("TEXT");
  app.add_option("--json", options.json, "File for the results as JSON")
      ->type_name("FILE");
}
