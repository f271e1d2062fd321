//===- Device.h - What a benchmark asks of a device -------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A device says what it is, measures its own ceilings and times calls. The
// calls themselves go through the runtime's C ABI and are the same for all
// devices.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_DEVICE_H
#define MLA_BENCH_DEVICE_H

#include "io/Result.h"
#include "mla_runtime/runtime.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mla::bench {

/// The best of a machine, taken in the run that uses it. Bytes and operations a
/// second.
struct Ceilings {
  uint64_t bufferBytes = 0; ///< What the two bandwidths were measured over.
  double readBandwidth = 0;
  double copyBandwidth = 0; ///< Bytes read plus bytes written.
  double f32Peak = 0;       ///< Fused multiply-adds, two operations each.
  /// Of bf16 products: dot products of the CPU, where there are any; a large
  /// matrix product of the GPU.
  std::optional<double> bf16Peak;
  /// Seconds of the smallest kernel, between two events and as one of many in a
  /// graph.
  std::optional<double> smallestBetweenEvents, smallestInGraph;
};

struct CeilingOptions {
  int threads = 1;
  uint64_t bufferBytes = 0; ///< 0: several times the last-level cache.
  double seconds = 0.3;     ///< For each ceiling.
};

/// Times one piece of work again and again.
struct Timer {
  /// Seconds of one repetition.
  std::function<io::Result<double>()> repeat;
  /// Where `repeat` replays a graph of the work: the same by calling the work,
  /// to compare.
  std::function<io::Result<double>()> repeatCall;
};

class Device {
public:
  virtual ~Device() = default;

  /// Name and value, for the report: processor, caches, instruction sets.
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
  /// What a call is given more or fewer of: "thread".
  virtual const char *unit() const = 0;
  /// Threads (or multiprocessors) that a call uses when nobody limits them.
  virtual int defaultThreads() const = 0;
  /// Bytes below which repeated calls find their data in a cache.
  virtual uint64_t warmBytes() const = 0;
  /// Repetitions of every case, whose median counts; 0: as many as the time
  /// allows, the least of which counts.
  virtual int64_t fixedRepetitions() const = 0;
  virtual io::Result<Ceilings> measure(const CeilingOptions &options) = 0;
  /// Read and copy bandwidth over a buffer of this size, read again and again.
  virtual io::Result<std::pair<double, double>>
  bandwidthOver(uint64_t bytes, int threads, double seconds) = 0;
  /// A timer of `work`, which has been called before and whose operands outlive
  /// the timer.
  virtual io::Result<Timer> makeTimer(std::function<void()> work) = 0;
  /// Makes `bytes` bytes at `data` repeat `block`.
  virtual io::Status fill(void *data, uint64_t bytes,
                          const std::vector<char> &block) = 0;
};

/// The CPU; its memory comes from `ctx`, as the operands of the calls do.
std::unique_ptr<Device> makeCpuDevice(mla_context *ctx);
/// Whether this is a build with CUDA.
bool hasCuda();
/// GPU `number`, whose context is `ctx`: the context gets a stream. A build
/// without CUDA refuses.
io::Result<std::unique_ptr<Device>> makeCudaDevice(mla_context *ctx,
                                                   int32_t number);

} // namespace mla::bench

#endif // MLA_BENCH_DEVICE_H
