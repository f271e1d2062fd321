//===- StepBench.cpp - Compiled steps measured against their parts --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step of several layers is cold by itself: no layer finds its weights or its
// cache in the L2 that was flushed before the step. Its parts are timed in the
// same way, one call a layer, so that both have the graph's launch once.
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "Sets.h"
#include "StepWorkload.h"

using namespace mla;
using namespace mla::bench;

/// Steps with arguments of their own.
using Steps = std::vector<std::unique_ptr<StepWorkload>>;

/// Gives the context the workspace that the step needs, and calls it once: what
/// is lazy has then been done.
static io::Status prepare(mla_context *ctx, const StepWorkload &step,
                          uint64_t &workspace) {
  if (mla_context_set_mode(ctx, MLA_MODE_PLAN) || step.call())
    return io::Error{mla_last_error(ctx)};
  workspace = mla_context_workspace_high_water(ctx);
  if (mla_context_set_workspace(ctx, nullptr, workspace) ||
      mla_context_set_mode(ctx, MLA_MODE_RUN) || step.call() ||
      mla_context_check(ctx))
    return io::Error{mla_last_error(ctx)};
  return {};
}

/// Launches: of all works in the graph; 0 without one.
io::Result<Times> Bench::timeWorks(const Works &works, bool replay,
                                   int64_t &launches) {
  Replay timed;
  if (replay) {
    io::Result<Replay> graph = device.makeReplay(works);
    if (!graph)
      return io::Error{graph.error()};
    timed = *graph;
  } else {
    io::Result<Timer> timer = device.makeTimer(works);
    if (!timer)
      return io::Error{timer.error()};
    timed.timer = *timer;
  }
  launches = timed.launches;
  if (io::Status status = warmUp(timed.timer); !status)
    return io::Error{status.error()};
  io::Result<Times> times = repeat(timed.timer);
  if (times && (mla_context_status(ctx) || mla_context_check(ctx)))
    return io::Error{mla_last_error(ctx)};
  return times;
}

io::Status Bench::timeStep(StepMeasurement &m) {
  Steps steps;
  bool graphs = device.replayBelow() > 0;
  int64_t count = graphs ? options.graphSteps : 1;
  while (static_cast<int64_t>(steps.size()) < count) {
    auto step = std::make_unique<StepWorkload>(
        ctx, device, m.what, static_cast<int64_t>(steps.size()),
        options.spread);
    if (!step->failure().empty())
      return io::Error{step->failure()};
    if (io::Status status = prepare(ctx, *step, m.workspace); !status)
      return status;
    steps.push_back(std::move(step));
  }
  Works works;
  for (const std::unique_ptr<StepWorkload> &step : steps)
    works.push_back([step = step.get()] { step->call(); });
  int64_t launches = 0;
  io::Result<Times> calls = timeWorks(works, /*replay=*/false, launches);
  if (!calls)
    return io::Error{calls.error()};
  m.calls = *calls;
  if (graphs) {
    io::Result<Times> replays = timeWorks(works, /*replay=*/true, launches);
    if (!replays)
      return io::Error{replays.error()};
    m.replays = *replays;
    m.graphCalls = count;
    m.launches = static_cast<double>(launches) / static_cast<double>(count);
  }
  m.counted = countedOf(m.times());
  return {};
}

io::Result<StepPart> Bench::timePart(const Case &c, int64_t count) {
  auto failed = [&](const std::string &why) {
    return io::Error{c.name() + ": " + why};
  };
  StepPart part;
  part.what = c;
  Sets sets(ctx, device, c, options.spread);
  if (io::Status status = sets.add(); !status)
    return failed(status.error());
  sets[0].call();
  sets.grow(count);
  if (mla_context_status(ctx) || mla_context_check(ctx))
    return failed(mla_last_error(ctx));
  Works works = sets.calls(count);
  int64_t launches = 0;
  io::Result<Times> times =
      timeWorks(works, /*replay=*/device.replayBelow() > 0, launches);
  if (!times)
    return failed(times.error());
  part.launches = launches / static_cast<int64_t>(works.size());
  part.seconds = countedOf(*times);
  return part;
}

io::Result<StepMeasurement> Bench::measure(const StepCase &step) {
  StepMeasurement m(step);
  mla_context_clear_error(ctx);
  io::Status status = timeStep(m);
  // Whatever follows has operands of its own.
  mla_context_set_mode(ctx, MLA_MODE_RUN);
  if (!status)
    return io::Error{step.name() + ": " + status.error()};
  int64_t count = step.layers() * std::max<int64_t>(m.graphCalls, 1);
  for (const Case &c : step.parts()) {
    if (!c.problem().empty())
      continue;
    io::Result<StepPart> part = timePart(c, count);
    if (!part)
      return io::Error{step.name() + ": " + part.error()};
    m.parts.push_back(*part);
  }
  if (m.replays && !m.parts.empty() &&
      m.parts.front().what.op == Op::AbsorbedAttention) {
    const StepPart &attention = m.parts.front();
    double others =
        m.launchesALayer() - static_cast<double>(attention.launches);
    m.bound.emplace();
    m.bound->strict = attention.seconds +
                      step.weightBytes() / top.bandwidth.read +
                      StepBound::fixed + StepBound::aLaunch * others;
    m.bound->seconds =
        m.bound->strict +
        StepBound::aLaunch * static_cast<double>(attention.launches);
  }
  return m;
}
