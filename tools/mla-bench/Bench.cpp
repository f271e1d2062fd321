//===- Bench.cpp - Cases measured against ceilings ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "Sets.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace mla;
using namespace mla::bench;

Times::Times(std::vector<double> seconds) : all(std::move(seconds)) {
  std::vector<double> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  auto at = [&](double share) {
    double last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<size_t>(std::lround(share * last))];
  };
  least = sorted.front();
  p10 = at(0.1);
  median = sorted[sorted.size() / 2];
  p90 = at(0.9);
}

io::Status Bench::measureCeilings() {
  io::Result<Ceilings> result = device.measure(options.ceilings);
  if (!result)
    return io::Error{"ceilings: " + result.error()};
  top = *result;
  return {};
}

static Bound boundOf(const Case &c, double bandwidth, double peak,
                     const char *peakName) {
  double moving = c.bytes() / bandwidth, computing = c.flops() / peak;
  if (moving >= computing)
    return {moving, c.copies() ? "copy" : "read"};
  return {computing, peakName};
}

io::Status Bench::compare(Measurement &m) {
  const Case &c = m.what;
  double bandwidth = c.copies() ? top.bandwidth.copy : top.bandwidth.read;
  m.memory = boundOf(c, bandwidth, top.f32Peak, "f32");
  // What all sets together need is what later calls find in a cache.
  auto bytes = static_cast<uint64_t>(c.bytes() * static_cast<double>(m.sets));
  if (bytes <= device.warmBytes()) {
    uint64_t size = 65536;
    while (size < bytes)
      size *= 2;
    auto found = cachedBandwidths.find(size);
    if (found == cachedBandwidths.end()) {
      auto result = device.bandwidthOver(size, options.threads,
                                         options.ceilings.seconds / 4);
      if (!result)
        return io::Error{result.error()};
      found = cachedBandwidths.emplace(size, *result).first;
    }
    bandwidth = c.copies() ? found->second.copy : found->second.read;
    m.cached = boundOf(c, bandwidth, top.f32Peak, "f32");
    m.cachedBandwidth = bandwidth;
  }
  if (c.dtype == MLA_DTYPE_BF16 && top.bf16Peak)
    m.bf16 = boundOf(c, bandwidth, *top.bf16Peak, "bf16");
  return {};
}

//===--- Repetitions ------------------------------------------------------===//

/// Sets that single calls take in turn: what one call leaves in a cache is not
/// what the next one looks for.
static constexpr int64_t setsInTurn = 3;
/// The operands of a graph's calls.
static constexpr uint64_t graphBytes = uint64_t{4} << 30;

io::Result<Times> Bench::repeat(const Timer &timer, int64_t wanted) {
  if (!wanted)
    wanted =
        options.iterations ? options.iterations : device.fixedRepetitions();
  std::vector<double> seconds;
  double total = 0;
  auto enough = [&] {
    auto count = static_cast<int64_t>(seconds.size());
    return wanted ? count >= wanted : count >= 3 && total >= options.seconds;
  };
  while (!enough()) {
    io::Result<double> took = timer();
    if (!took)
      return io::Error{took.error()};
    seconds.push_back(*took);
    total += *took;
  }
  return Times(std::move(seconds));
}

io::Status Bench::warmUp(const Timer &timer) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> wanted(device.warmUpSeconds());
  for (auto start = Clock::now(); Clock::now() - start < wanted;)
    if (io::Result<double> took = timer(); !took)
      return io::Error{took.error()};
  return {};
}

io::Result<Timer> Bench::makeTimer(const Works &works, bool replay) {
  if (!replay)
    return device.makeTimer(works);
  io::Result<Replay> graph = device.makeReplay(works);
  if (!graph)
    return io::Error{graph.error()};
  return graph->timer;
}

double Bench::countedOf(const Times &times) const {
  return device.fixedRepetitions() ? times.median : times.least;
}

/// `seconds`: about what a call takes.
io::Status Bench::timeCalls(Sets &sets, double seconds, Measurement &m) {
  for (bool replay : {false, true}) {
    int64_t count = setsInTurn;
    if (replay) {
      if (m.calls.median >= device.replayBelow())
        break;
      auto room = static_cast<int64_t>(graphBytes /
                                       std::max<uint64_t>(sets.bytes(), 1));
      count = std::min(options.graphCalls, std::max<int64_t>(room, 2));
    }
    // Where time is what is given, calls that take all of it aren't made for
    // their operands alone.
    if (device.fixedRepetitions() || seconds < options.seconds)
      sets.grow(count);
    if (mla_context_status(ctx) || mla_context_check(ctx))
      return io::Error{mla_last_error(ctx)};
    Works works = sets.calls(count);
    io::Result<Timer> timer = makeTimer(works, replay);
    if (!timer)
      return io::Error{timer.error()};
    if (io::Status status = warmUp(*timer); !status)
      return status;
    io::Result<Times> times = repeat(*timer);
    if (!times)
      return io::Error{times.error()};
    if (!replay) {
      m.calls = *times;
      m.sets = static_cast<int64_t>(works.size());
    } else {
      m.replays = *times;
      m.graphCalls = static_cast<int64_t>(works.size());
    }
    if (mla_context_status(ctx) || mla_context_check(ctx))
      return io::Error{mla_last_error(ctx)};
  }
  m.counted = countedOf(m.times());
  m.load = device.loadDuring(sets.calls(m.sets), m.calls.median);
  return {};
}

io::Status Bench::timeCopy(const Sets &sets, Measurement &m) {
  int64_t count = m.replayCounts() ? m.graphCalls : m.sets;
  // Each way to copy, and of that one function a set.
  std::vector<Works> ways;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<Transfer> transfers = sets[i].transfers();
    if (transfers.empty())
      return {};
    Works copies = device.copyRows(transfers, options.threads);
    ways.resize(i ? std::min(ways.size(), copies.size()) : copies.size());
    for (size_t way = 0; way < ways.size(); ++way) {
      copies[way]();
      ways[way].push_back(std::move(copies[way]));
    }
  }
  // A few repetitions tell which one it is.
  Timer best;
  double least = 1e30;
  for (const Works &way : ways) {
    io::Result<Timer> timer = makeTimer(way, m.replayCounts());
    if (!timer)
      return io::Error{timer.error()};
    const int64_t few = 5;
    io::Result<Times> times = repeat(*timer, ways.size() > 1 ? few : 1);
    if (!times)
      return io::Error{times.error()};
    if (times->median < least) {
      least = times->median;
      best = *timer;
    }
  }
  if (!best)
    return {};
  if (io::Status status = warmUp(best); !status)
    return status;
  io::Result<Times> times = repeat(best);
  if (!times)
    return io::Error{times.error()};
  m.patternCopy = countedOf(*times);
  return {};
}

io::Status Bench::timePeers(const Sets &sets, Measurement &m) {
  int64_t count = m.replayCounts() ? m.graphCalls : m.sets;
  std::vector<std::pair<std::string, Works>> peers;
  for (int64_t i = 0; i < count; ++i) {
    const mla_append_params *params = sets[i].appendParams();
    if (!params)
      return {};
    for (auto &[name, call] : device.appendPeers(*params)) {
      call();
      auto known = std::find_if(peers.begin(), peers.end(),
                                [&](auto &one) { return one.first == name; });
      if (known == peers.end())
        known = peers.insert(known, {name, {}});
      known->second.push_back(std::move(call));
    }
  }
  for (auto &[name, works] : peers) {
    // One that has no memory for every set would have less to do.
    if (static_cast<int64_t>(works.size()) != count)
      continue;
    io::Result<Timer> timer = makeTimer(works, m.replayCounts());
    if (!timer)
      return io::Error{name + ": " + timer.error()};
    if (io::Status status = warmUp(*timer); !status)
      return io::Error{name + ": " + status.error()};
    io::Result<Times> times = repeat(*timer);
    if (!times)
      return io::Error{name + ": " + times.error()};
    m.peers.emplace_back(name, countedOf(*times));
  }
  return {};
}

io::Result<Measurement> Bench::measure(const Case &c) {
  Measurement m;
  m.what = c;
  mla_context_clear_error(ctx);
  auto failed = [&](const std::string &why) {
    return io::Error{c.name() + ": " + why};
  };
  {
    Sets sets(ctx, device, c, options.spread);
    if (io::Status status = sets.add(); !status)
      return failed(status.error());
    auto start = std::chrono::steady_clock::now();
    if (sets[0].call() == MLA_STATUS_UNIMPLEMENTED) {
      m.refusal = mla_last_error(ctx);
      mla_context_clear_error(ctx);
      return m;
    }
    if (mla_context_status(ctx) || mla_context_check(ctx))
      return failed(mla_last_error(ctx));
    std::chrono::duration<double> first =
        std::chrono::steady_clock::now() - start;
    io::Status status = timeCalls(sets, first.count(), m);
    if (status)
      status = timeCopy(sets, m);
    if (status && options.peers)
      status = timePeers(sets, m);
    if (!status)
      return failed(status.error());
  } // the operands' memory is free again before a ceiling needs its own
  if (io::Status status = compare(m); !status)
    return failed(status.error());
  return m;
}
