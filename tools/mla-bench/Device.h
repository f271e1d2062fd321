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

/// Bytes a second over a buffer.
struct Bandwidths {
  double read = 0, write = 0;
  double copy = 0; ///< Bytes read plus bytes written.
};

/// What a device does while it works, as its driver says.
struct Load {
  double smClock = 0, memoryClock = 0; ///< MHz.
  double power = 0;                    ///< Watts.
};

/// The best of a machine, taken in the run that uses it. Bytes and operations a
/// second.
struct Ceilings {
  uint64_t bufferBytes = 0; ///< What the bandwidths were measured over.
  Bandwidths bandwidth;
  double f32Peak = 0; ///< Fused multiply-adds, two operations each.
  /// Of bf16 products: dot products of the CPU, where there are any; a large
  /// matrix product of the GPU.
  std::optional<double> bf16Peak;
  /// The same of fp8 (e4m3) products, summed in f32, rounded to bf16.
  std::optional<double> fp8Peak;
  /// Seconds of the smallest kernel, between two events and as one of many in a
  /// graph.
  std::optional<double> smallestBetweenEvents, smallestInGraph;
  /// While memory was read, and while bf16 matrices were multiplied.
  std::optional<Load> reading, multiplying;
  /// Sentences about what couldn't be measured.
  std::vector<std::string> missing;
};

struct CeilingOptions {
  int threads = 1;
  uint64_t bufferBytes = 0; ///< 0: several times the last-level cache.
  double seconds = 0.3;     ///< For each ceiling.
};

/// Seconds of one repetition.
using Timer = std::function<io::Result<double>()>;

/// A graph of calls, timed.
struct Replay {
  Timer timer;          ///< Of one of the calls.
  int64_t launches = 0; ///< Kernels, copies and fills of all of them.
};

/// Calls; mostly the same one on several sets of operands, each with its own
/// memory. The context keeps an error of a call of its own, and a timer reports
/// all others.
using Works = std::vector<std::function<void()>>;

/// Rows that a call moves: tokens x rows of them, each contiguous.
struct Transfer {
  const void *from = nullptr; ///< Null: nothing is read.
  void *to = nullptr;         ///< Null: nothing is written.
  int64_t tokens = 0, rows = 1;
  /// Bytes of a row; they differ where the call converts.
  int64_t readBytes = 0, writeBytes = 0;
  /// Bytes from a token to the next one, and from a row to the next one.
  int64_t fromToken = 0, fromRow = 0, toToken = 0, toRow = 0;
  /// In the device's memory, [tokens]: what stands for the token in the
  /// address; null: the token itself.
  const int64_t *fromIndex = nullptr, *toIndex = nullptr;
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
  /// Seconds of work after which it is as quick as it stays.
  virtual double warmUpSeconds() const = 0;
  /// Calls that take fewer seconds than this are also timed as replays of a
  /// graph, and that time counts; 0: there are no graphs.
  virtual double replayBelow() const = 0;
  /// Bytes that operands may still take.
  virtual uint64_t freeBytes() const = 0;
  virtual io::Result<Ceilings> measure(const CeilingOptions &options) = 0;
  /// Bandwidths over a buffer of this size, used again and again.
  virtual io::Result<Bandwidths> bandwidthOver(uint64_t bytes, int threads,
                                               double seconds) = 0;
  /// A timer of single calls, which take the sets in turn. The works, of which
  /// there is at least one, have been called before; their operands outlive the
  /// timer.
  virtual io::Result<Timer> makeTimer(Works works) = 0;
  /// A graph that makes one call for every set, one after the other. Only where
  /// there are graphs.
  virtual io::Result<Replay> makeReplay(Works works) = 0;
  /// What the driver says while the works, of so many seconds each, are
  /// repeated for a moment; none where it says nothing.
  virtual std::optional<Load> loadDuring(const Works &works,
                                         double seconds) = 0;
  /// Plain copies of these rows with nothing else to do, the quickest of which
  /// is as fast as this device moves them; none where there is none. Transfers
  /// of the same sizes have as many, in the same order. The memory outlives
  /// them.
  virtual Works copyRows(const std::vector<Transfer> &transfers,
                         int threads) = 0;
  /// What engines do in place of this call, for comparison: names and calls.
  /// The tensors outlive them.
  virtual std::vector<std::pair<std::string, std::function<void()>>>
  appendPeers(const mla_append_params &params) = 0;
  /// Makes `bytes` bytes at `data` repeat `block`, before any work that is
  /// enqueued later. `kept`: the block outlives the device and never changes,
  /// so that the device may keep a copy of its own.
  virtual io::Status fill(void *data, uint64_t bytes,
                          const std::vector<char> &block,
                          bool kept = false) = 0;
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
