//===- CpuDevice.cpp - The CPU as a device of the benchmark ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuCeilings.h"
#include "CpuTeam.h"
#include "Device.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <unistd.h>

using namespace mla;
using namespace mla::bench;

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string readLine(const std::string &path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The processor's name; "?" where the system doesn't say.
std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != line.npos)
      return line.substr(line.find(": ") + 2);
  return "?";
}

/// Bytes of the largest cache of the first processor; 32 MiB where the system
/// doesn't say.
uint64_t largestCache() {
  uint64_t most = 0;
  for (int i = 0; i < 8; ++i) {
    std::string size = readLine("/sys/devices/system/cpu/cpu0/cache/index" +
                                std::to_string(i) + "/size");
    if (size.empty())
      continue;
    uint64_t bytes = std::strtoull(size.c_str(), nullptr, 10);
    bytes <<= size.back() == 'K' ? 10 : size.back() == 'M' ? 20 : 0;
    most = std::max(most, bytes);
  }
  return most ? most : uint64_t{32} << 20;
}

/// What could be had without swapping; what the system keeps of files counts.
uint64_t availableMemory() {
  std::ifstream file("/proc/meminfo");
  const std::string name = "MemAvailable:";
  for (std::string line; std::getline(file, line);)
    if (line.rfind(name, 0) == 0)
      return std::strtoull(line.c_str() + name.size(), nullptr, 10) << 10;
  return static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string mebibytes(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

class CpuDevice : public Device {
public:
  explicit CpuDevice(mla_context *ctx) : ctx(ctx) {}

  std::vector<std::pair<std::string, std::string>> describe() const override {
    return {{"processor", processorName()},
            {"threads", std::to_string(defaultThreads())},
            {"last_level_cache", mebibytes(cache)},
            {"instructions_of_the_ceilings", loops.isa}};
  }

  /// The processors that this process may use.
  int defaultThreads() const override {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
      return CPU_COUNT(&set);
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }

  const char *unit() const override { return "thread"; }
  uint64_t warmBytes() const override { return cache; }
  int64_t fixedRepetitions() const override { return 0; }
  double warmUpSeconds() const override { return 0; }
  double replayBelow() const override { return 0; }
  uint64_t freeBytes() const override { return availableMemory(); }

  io::Result<Ceilings> measure(const CeilingOptions &options) override {
    Ceilings result;
    result.bufferBytes = options.bufferBytes;
    if (!result.bufferBytes) {
      // Four times the cache, but never more than a third of the memory.
      result.bufferBytes = std::min(4 * cache, availableMemory() / 3);
    }
    auto bandwidths =
        bandwidthOver(result.bufferBytes, options.threads, options.seconds);
    if (!bandwidths)
      return io::Error{bandwidths.error()};
    result.bandwidth = *bandwidths;
    result.f32Peak = peak(loops.multiplyAdd, loops.f32FlopsARound, options);
    if (loops.dotBF16)
      result.bf16Peak = peak(loops.dotBF16, loops.bf16FlopsARound, options);
    return result;
  }

  io::Result<Bandwidths> bandwidthOver(uint64_t bytes, int threads,
                                       double seconds) override {
    // Whole steps of the loops for every thread, and for both halves of a copy.
    uint64_t step = 2048 * static_cast<uint64_t>(threads);
    bytes = std::max((bytes + step - 1) / step, uint64_t{1}) * step;
    void *buffer = mla_device_alloc(ctx, bytes);
    if (!buffer)
      return io::Error{mla_last_error(ctx)};
    std::memset(buffer, 0, bytes);
    uint64_t share = bytes / static_cast<uint64_t>(threads);
    // What is small is read many times a round, or starting the threads would
    // be what is measured.
    auto repeat = static_cast<int64_t>(
        std::max<uint64_t>(1, (uint64_t{64} << 20) / bytes));
    auto *base = static_cast<char *>(buffer);
    double read = bestRound(threads, seconds, [&](int t) {
      for (int64_t i = 0; i < repeat; ++i)
        sink = loops.read(base + static_cast<uint64_t>(t) * share, share);
    });
    double write = bestRound(threads, seconds, [&](int t) {
      for (int64_t i = 0; i < repeat; ++i)
        std::memset(base + static_cast<uint64_t>(t) * share, 0, share);
    });
    double copy = bestRound(threads, seconds, [&](int t) {
      char *from = base + static_cast<uint64_t>(t) * share;
      for (int64_t i = 0; i < repeat; ++i)
        std::memcpy(from + share / 2, from, share / 2);
    });
    mla_device_free(ctx, buffer);
    double total = static_cast<double>(bytes) * static_cast<double>(repeat);
    return Bandwidths{total / read, total / write, total / copy};
  }

  io::Result<Timer> makeTimer(Works works) override {
    return Timer([works = std::move(works),
                  next = size_t{0}]() mutable -> io::Result<double> {
      const auto &work = works[next++ % works.size()];
      auto start = Clock::now();
      work();
      return secondsSince(start);
    });
  }

  io::Result<Replay> makeReplay(Works) override {
    return io::Error{"expected a GPU to replay a graph, got a CPU"};
  }

  std::optional<Load> loadDuring(const Works &, double) override {
    return std::nullopt;
  }

  Works copyRows(const std::vector<Transfer> &transfers, int threads) override {
    // Little is done before a second thread has heard of it.
    Works works = {[transfers] { moveRows(transfers, 0, 1); }};
    if (threads == 1)
      return works;
    // One team for all sets: those that wait take time from those that work.
    std::shared_ptr<Team> team = copiers.lock();
    if (!team || team->size() != threads)
      copiers = team = std::make_shared<Team>(threads);
    std::function<void(int)> part = [transfers, threads](int thread) {
      moveRows(transfers, thread, threads);
    };
    works.push_back([team, part] { team->run(part); });
    return works;
  }

  std::vector<std::pair<std::string, std::function<void()>>>
  appendPeers(const mla_append_params &) override {
    return {};
  }

  io::Status fill(void *data, uint64_t bytes, const std::vector<char> &block,
                  bool) override {
    auto *to = static_cast<char *>(data);
    for (uint64_t at = 0; at < bytes; at += block.size())
      std::memcpy(to + at, block.data(),
                  std::min<uint64_t>(block.size(), bytes - at));
    return {};
  }

private:
  double peak(float (*loop)(int64_t), int64_t flopsARound,
              const CeilingOptions &options) {
    const int64_t rounds = 50000; // some 0.2 ms: short enough to be undisturbed
    double best = bestRound(options.threads, options.seconds,
                            [&](int) { sink = loop(rounds); });
    return static_cast<double>(options.threads) *
           static_cast<double>(rounds * flopsARound) / best;
  }

  mla_context *ctx;
  std::weak_ptr<Team> copiers;
  CpuLoops loops = bestCpuLoops();
  uint64_t cache = largestCache();
  std::atomic<float> sink{0};
};

} // namespace

std::unique_ptr<Device> mla::bench::makeCpuDevice(mla_context *ctx) {
  return std::make_unique<CpuDevice>(ctx);
}
