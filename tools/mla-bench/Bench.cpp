//===- Bench.cpp - Cases measured against ceilings ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "Workload.h"

#include <algorithm>

using namespace mla;
using namespace mla::bench;

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
  auto bytes = static_cast<uint64_t>(c.bytes());
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

io::Result<Measurement> Bench::measure(const Case &c) {
  Measurement m;
  m.what = c;
  mla_context_clear_error(ctx);
  auto failure = [&] {
    return io::Error{c.name() + ": " + mla_last_error(ctx)};
  };
  {
    Workload workload(ctx, device, c);
    if (!workload.failure().empty())
      return io::Error{c.name() + ": " + workload.failure()};
    mla_status status = workload.call(); // and does what is lazy
    if (status == MLA_STATUS_UNIMPLEMENTED) {
      m.refusal = mla_last_error(ctx);
      mla_context_clear_error(ctx);
      return m;
    }
    if (status || mla_context_check(ctx))
      return failure();

    io::Result<Timer> timer = device.makeTimer({[&] { workload.call(); }});
    if (!timer)
      return io::Error{c.name() + ": " + timer.error()};
    std::vector<double> times;
    double total = 0;
    int64_t wanted =
        options.iterations ? options.iterations : device.fixedRepetitions();
    auto enough = [&] {
      auto count = static_cast<int64_t>(times.size());
      if (wanted)
        return count >= wanted;
      return count >= 3 && total >= options.seconds;
    };
    while (!enough()) {
      io::Result<double> took = (*timer)();
      if (!took)
        return io::Error{c.name() + ": " + took.error()};
      times.push_back(*took);
      total += times.back();
    }
    if (device.fixedRepetitions())
      m.seconds = times;
    if (mla_context_status(ctx) || mla_context_check(ctx))
      return failure();
    std::sort(times.begin(), times.end());
    m.iterations = static_cast<int64_t>(times.size());
    m.least = times.front();
    m.median = times[times.size() / 2];
    m.counted = device.fixedRepetitions() ? m.median : m.least;
  } // the operands' memory is free again before a ceiling needs its own
  if (io::Status status = compare(m); !status)
    return io::Error{c.name() + ": " + status.error()};
  return m;
}
