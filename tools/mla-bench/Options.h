//===- Options.h - What the command line asks for ---------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_OPTIONS_H
#define MLA_BENCH_OPTIONS_H

#include "Bench.h"
#include "io/DeviceName.h"

namespace CLI {
class App;
}

namespace mla::bench {

struct Options {
  std::string device = "cpu", json, filter, commit;
  std::vector<std::string> grids, files, caches{"same"};
  std::vector<std::string> dtypes, batches;
  std::vector<int> threads;
  int64_t bufferMiB = 0;
  std::vector<std::string> modules;
  std::string entry;
  int64_t tokens = 1; ///< Of each sequence of a step.
  std::optional<int64_t> graphCalls;
  bool list = false;
  // What the words above stand for.
  io::DeviceName name;
  GridOptions grid;
  std::vector<Case> cases; ///< Of the files.
  BenchOptions bench;
};

/// The options and their help.
void addOptions(CLI::App &app, Options &options);
/// Fills in what the words on the command line stand for; a sentence when one
/// stands for nothing.
io::Status interpret(Options &options);

} // namespace mla::bench

#endif // MLA_BENCH_OPTIONS_H
