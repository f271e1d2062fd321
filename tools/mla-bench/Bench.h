//===- Bench.h - Cases measured against ceilings ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_BENCH_H
#define MLA_BENCH_BENCH_H

#include "Case.h"
#include "Device.h"

#include <map>
#include <optional>

namespace mla::bench {

/// A least time and what sets it: the roofline min(bandwidth * intensity, peak)
/// as seconds, max(bytes / bandwidth, operations / peak).
struct Bound {
  double seconds = 0;
  const char *limit = ""; ///< "read", "copy", "f32" or "bf16".
};

struct Measurement {
  Case what;
  /// The call was refused as not implemented by this device, and why.
  std::string refusal;
  int64_t iterations = 0;
  double least = 0, median = 0; ///< Seconds.
  double counted = 0;           ///< The one of the two that counts.
  std::vector<double> seconds;  ///< All, where their number is fixed.
  /// Where a graph of the call was replayed for these: the median of calls.
  std::optional<double> callMedian;
  /// Against memory's bandwidth and the f32 peak.
  Bound memory;
  /// Where the operands fit in the last-level cache: against the bandwidth over
  /// a buffer of their size, which later iterations find there.
  std::optional<Bound> cached;
  double cachedBandwidth = 0;
  /// Where the operands are bf16 and the device multiplies those: as `memory`
  /// or `cached`, but against that peak.
  std::optional<Bound> bf16;

  double gigabytes() const { return what.bytes() / counted * 1e-9; }
  double gigaflops() const { return what.flops() / counted * 1e-9; }
  /// The bound that fits best: with the peak of the operands' type, and with
  /// the bandwidth of where they are.
  const Bound &bound() const {
    return bf16 ? *bf16 : cached ? *cached : memory;
  }
};

struct BenchOptions {
  int threads = 1;
  int64_t iterations = 0; ///< 0: as the device wants, or as many as `seconds`
                          ///< allow, at least 3.
  double seconds = 0.5;   ///< Of calls, for each case.
  /// Most calls in a graph, each on its own operands; fewer where those would
  /// take more than 4 GiB.
  int64_t graphCalls = 100;
  bool peers = false; ///< Measure what engines do in place of append, too.
  CeilingOptions ceilings;
};

/// All that one number of threads gave.
struct BenchRun {
  int threads = 1;
  Ceilings ceilings;
  std::vector<Measurement> measurements;
};

/// Measures with the number of threads that `options` and `ctx` say.
class Bench {
public:
  Bench(mla_context *ctx, Device &device, const BenchOptions &options)
      : ctx(ctx), device(device), options(options) {}

  io::Status measureCeilings();
  /// An error is anything but success and "not implemented".
  io::Result<Measurement> measure(const Case &c);

  const Ceilings &ceilings() const { return top; }

private:
  io::Status compare(Measurement &m);

  mla_context *ctx;
  Device &device;
  BenchOptions options;
  Ceilings top;
  /// By buffer size, each measured once.
  std::map<uint64_t, Bandwidths> cachedBandwidths;
};

} // namespace mla::bench

#endif // MLA_BENCH_BENCH_H
