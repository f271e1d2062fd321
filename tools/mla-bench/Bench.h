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
#include "Step.h"

#include <map>
#include <optional>

namespace mla::bench {

/// A least time and what sets it: the roofline min(bandwidth * intensity, peak)
/// as seconds, max(bytes / bandwidth, operations / peak).
struct Bound {
  double seconds = 0;
  const char *limit = ""; ///< "read", "copy", "f32" or "bf16".
};

/// Seconds of repetitions.
struct Times {
  double least = 0, p10 = 0, median = 0, p90 = 0;
  std::vector<double> all; ///< In the order of time.

  Times() = default;
  /// Of at least one repetition.
  explicit Times(std::vector<double> seconds);
};

struct Measurement {
  Case what;
  /// The call was refused as not implemented by this device, and why.
  std::string refusal;
  int64_t sets = 0; ///< Of operands, which single calls took in turn.
  Times calls;      ///< Single ones.
  /// Of a call in a graph of `graphCalls`, each with its own operands, where
  /// calls are short.
  std::optional<Times> replays;
  int64_t graphCalls = 0;
  /// Others' times are of single calls: so is the one compared with them.
  bool replayCounts() const { return replays && !what.reference; }
  /// What counts.
  const Times &times() const { return replayCounts() ? *replays : calls; }
  double counted = 0; ///< The least or the median of these.
  /// A plain copy of the same rows, timed in the same way.
  std::optional<double> patternCopy;
  /// What engines do for the same, timed in the same way.
  std::vector<std::pair<std::string, double>> peers;
  std::optional<Load> load; ///< While the calls were repeated.

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

/// One of the calls of a step, alone: one for every layer, each with operands
/// of its own, in a graph where there are graphs.
struct StepPart {
  Case what;
  double seconds = 0;   ///< Of one call.
  int64_t launches = 0; ///< Of one call; 0 where there are no graphs.
};

/// What no layer's step is to take longer than: its attention alone, its
/// weights at the bandwidth of reading, and what its launches may cost besides.
struct StepBound {
  static constexpr double fixed = 2.5e-6, aLaunch = 1e-6;
  double seconds = 0; ///< Of all launches of a layer.
  /// Without those that the attention's own time has already.
  double strict = 0;
};

struct StepMeasurement {
  explicit StepMeasurement(const StepCase &what) : what(what) {}

  StepCase what;
  uint64_t workspace = 0;       ///< Bytes of the arena.
  Times calls;                  ///< Of whole steps, called once each.
  std::optional<Times> replays; ///< Of a step in a graph of `graphCalls` steps.
  int64_t graphCalls = 0;
  double launches = 0; ///< Of a step; 0 where there are no graphs.
  std::vector<StepPart> parts;
  std::optional<StepBound> bound; ///< Where parts and launches are known.

  const Times &times() const { return replays ? *replays : calls; }
  double counted = 0; ///< The least or the median of these.
  double secondsALayer() const {
    return counted / static_cast<double>(what.layers());
  }
  double launchesALayer() const {
    return launches / static_cast<double>(what.layers());
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
  int64_t graphSteps = 1; ///< The same of steps, which are of several layers.
  /// Standard deviation of random operands: power, and so the clock of long
  /// products, depends on it.
  double spread = 0.1;
  bool peers = false; ///< Measure what engines do in place of append, too.
  CeilingOptions ceilings;
};

/// All that one number of threads gave.
struct BenchRun {
  int threads = 1;
  double spread = 0; ///< Of random operands.
  Ceilings ceilings;
  std::vector<Measurement> measurements;
  std::vector<StepMeasurement> steps;
};

class Sets;

/// Measures with the number of threads that `options` and `ctx` say.
class Bench {
public:
  Bench(mla_context *ctx, Device &device, const BenchOptions &options)
      : ctx(ctx), device(device), options(options) {}

  io::Status measureCeilings();
  /// An error is anything but success and "not implemented".
  io::Result<Measurement> measure(const Case &c);
  /// The same of a compiled step, and of its parts alone.
  io::Result<StepMeasurement> measure(const StepCase &step);

  const Ceilings &ceilings() const { return top; }

private:
  /// The repetitions that a case gets, or as many as are asked for.
  io::Result<Times> repeat(const Timer &timer, int64_t count = 0);
  /// Repeats for as long as the device needs to be as quick as it stays.
  io::Status warmUp(const Timer &timer);
  io::Result<Timer> makeTimer(const Works &works, bool replay);
  double countedOf(const Times &times) const;
  io::Status timeCalls(Sets &sets, double seconds, Measurement &m);
  io::Status timeCopy(const Sets &sets, Measurement &m);
  io::Status timePeers(const Sets &sets, Measurement &m);
  io::Status compare(Measurement &m);
  io::Result<Times> timeWorks(const Works &works, bool replay,
                              int64_t &launches);
  io::Status timeStep(StepMeasurement &m);
  io::Result<StepPart> timePart(const Case &c, int64_t sets);

  mla_context *ctx;
  Device &device;
  BenchOptions options;
  Ceilings top;
  /// By buffer size, each measured once.
  std::map<uint64_t, Bandwidths> cachedBandwidths;
};

} // namespace mla::bench

#endif // MLA_BENCH_BENCH_H
