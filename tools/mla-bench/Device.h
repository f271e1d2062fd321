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
  std::optional<double>
      bf16Peak; ///< Of bf16 dot products, where there are any.
};

struct CeilingOptions {
  int threads = 1;
  uint64_t bufferBytes = 0; ///< 0: several times the last-level cache.
  double seconds = 0.3;     ///< For each ceiling.
};

class Device {
public:
  virtual ~Device() = default;

  /// Name and value, for the report: processor, caches, instruction sets.
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
  /// Threads (or multiprocessors) that a call uses when nobody limits them.
  virtual int defaultThreads() const = 0;
  /// Bytes below which repeated calls find their data in a cache.
  virtual uint64_t lastLevelCache() const = 0;
  virtual io::Result<Ceilings> measure(const CeilingOptions &options) = 0;
  /// Read and copy bandwidth over a buffer of this size, read again and again.
  virtual io::Result<std::pair<double, double>>
  bandwidthOver(uint64_t bytes, int threads, double seconds) = 0;
  /// Seconds that one call of `work` takes on the device.
  virtual double time(const std::function<void()> &work) = 0;
};

/// The CPU; its memory comes from `ctx`, as the operands of the calls do.
std::unique_ptr<Device> makeCpuDevice(mla_context *ctx);

} // namespace mla::bench

#endif // MLA_BENCH_DEVICE_H
