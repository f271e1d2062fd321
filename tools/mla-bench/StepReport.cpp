//===- StepReport.cpp - What was measured of steps ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace mla::bench;
using Json = nlohmann::ordered_json;

static const Op partOps[] = {Op::AbsorbedAttention, Op::AbsorbQ, Op::Append,
                             Op::ProjectV};

// All but the first two columns are of a layer. Its parts: one call alone,
// timed in the same way. of-bound: how many times the bound a layer takes.
// event: a step that is called, not replayed.
void mla::bench::printStepHeader() {
  std::printf("%-64s %10s %10s", "step", "step us", "layer us");
  for (Op op : partOps)
    std::printf(" %18s", opName(op));
  std::printf(" %8s %9s %8s %10s\n", "launches", "bound us", "of-bound",
              "event us");
}

void mla::bench::printStep(const StepMeasurement &m) {
  auto number = [](double value, const char *format) {
    char text[32];
    std::snprintf(text, sizeof(text), format, value);
    return std::string(text);
  };
  std::printf("%-64s %10.2f %10.2f", m.what.name().c_str(), m.counted * 1e6,
              m.secondsALayer() * 1e6);
  for (Op op : partOps) {
    std::string text = "-";
    for (const StepPart &part : m.parts)
      if (part.what.op == op)
        text = number(part.seconds * 1e6, "%.2f");
    std::printf(" %18s", text.c_str());
  }
  std::printf(" %8s %9s %8s %10.2f\n",
              m.replays ? number(m.launchesALayer(), "%.2f").c_str() : "-",
              m.bound ? number(m.bound->seconds * 1e6, "%.2f").c_str() : "-",
              m.bound
                  ? number(m.secondsALayer() / m.bound->seconds, "%.3f").c_str()
                  : "-",
              m.calls.median * 1e6);
  std::fflush(stdout);
}

Json mla::bench::stepToJson(const StepMeasurement &m) {
  const StepModule &module = *m.what.module;
  const Case &c = m.what.attention;
  const Times &times = m.times();
  Json json = {{"step", m.what.name()},
               {"module", module.file().substr(module.file().rfind('/') + 1)},
               {"entry", module.entry().name},
               {"layers", m.what.layers()},
               {"dtype", mla_dtype_name(c.dtype)},
               {"cache", c.cacheName()},
               {"query_dtype", mla_dtype_name(c.queryDtype())},
               {"B", c.batch},
               {"kv", c.keys},
               {"T", c.tokens()},
               {"H", c.heads},
               {"L", c.latent},
               {"R", c.pe},
               {"N", c.nope},
               {"V", c.value},
               {"P", c.page},
               {"workspace_bytes", m.workspace},
               {"layer_weight_bytes", m.what.weightBytes()},
               {"iterations", times.all.size()},
               {"counted", m.replays ? "graph" : "event"},
               {"counted_us", m.counted * 1e6},
               {"layer_us", m.secondsALayer() * 1e6},
               {"least_us", times.least * 1e6},
               {"median_us", times.median * 1e6},
               {"p10_us", times.p10 * 1e6},
               {"p90_us", times.p90 * 1e6},
               {"event_median_us", m.calls.median * 1e6}};
  if (m.replays) {
    json["graph_steps"] = m.graphCalls;
    json["launches"] = m.launches;
    json["layer_launches"] = m.launchesALayer();
  }
  json["parts"] = Json::object();
  for (const StepPart &part : m.parts) {
    Json &entry = json["parts"][opName(part.what.op)];
    entry = {{"case", part.what.name()}, {"us", part.seconds * 1e6}};
    if (m.replays)
      entry["launches"] = part.launches;
  }
  if (m.bound) {
    json["layer_bound_us"] = m.bound->seconds * 1e6;
    json["of_bound"] = m.secondsALayer() / m.bound->seconds;
    json["layer_strict_bound_us"] = m.bound->strict * 1e6;
    json["of_strict_bound"] = m.secondsALayer() / m.bound->strict;
  }
  for (double one : times.all)
    json["all_us"].push_back(one * 1e6);
  return json;
}
