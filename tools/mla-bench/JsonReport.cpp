//===- JsonReport.cpp - What was measured, as JSON ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <nlohmann/json.hpp>

#include <ctime>

using namespace mla::bench;
using Json = nlohmann::ordered_json;

namespace {

Json toJson(const Bound &bound, double seconds) {
  return {{"us", bound.seconds * 1e6},
          {"limit", bound.limit},
          {"share", bound.seconds / seconds}};
}

void addLoad(Json &json, const std::string &prefix,
             const std::optional<Load> &load) {
  if (!load)
    return;
  json[prefix + "sm_clock_mhz"] = load->smClock;
  json[prefix + "memory_clock_mhz"] = load->memoryClock;
  json[prefix + "power_w"] = load->power;
}

Json toJson(const Case &c) {
  Json json = {{"case", c.name()},
               {"op", opName(c.op)},
               {"dtype", mla_dtype_name(c.dtype)},
               {"cache_dtype", mla_dtype_name(c.cacheDtype)},
               {"cache", c.cacheName()},
               {"B", c.batch},
               {"kv", c.keys},
               {"all_kv", c.allKeys()},
               {"T", c.tokens()},
               {"H", c.heads},
               {"L", c.latent},
               {"R", c.pe},
               {"N", c.nope},
               {"V", c.value},
               {"P", c.page},
               {"query_dtype", mla_dtype_name(c.queryDtype())},
               {"row_bytes", c.rowBytes()},
               {"bytes", c.bytes()},
               {"flops", c.flops()}};
  if (c.topk > 0)
    json["topk"] = c.topk;
  if (c.op == Op::Append) {
    json["phase"] = phaseName(c.phase);
    json["rope"] = ropeName(c.rope);
    json["query"] = queryName(c.query);
    json["sliced"] = c.sliced;
  }
  return json;
}

void addTimes(Json &json, const Measurement &m, bool fixed) {
  const Times &times = m.times();
  json["iterations"] = times.all.size();
  json["counted"] = m.replayCounts() ? "graph" : "event";
  json["counted_us"] = m.counted * 1e6;
  json["least_us"] = times.least * 1e6;
  json["median_us"] = times.median * 1e6;
  json["p10_us"] = times.p10 * 1e6;
  json["p90_us"] = times.p90 * 1e6;
  json["event_median_us"] = m.calls.median * 1e6;
  json["event_sets"] = m.sets;
  if (m.replays) {
    json["graph_median_us"] = m.replays->median * 1e6;
    json["graph_calls"] = m.graphCalls;
  }
  json["gb_per_s"] = m.gigabytes();
  json["gflop_per_s"] = m.gigaflops();
  if (m.patternCopy) {
    json["pattern_copy_us"] = *m.patternCopy * 1e6;
    json["pattern_copy_share"] = *m.patternCopy / m.counted;
  }
  for (const auto &[name, seconds] : m.peers)
    json["peers"][name] = seconds * 1e6;
  addLoad(json, "", m.load);
  if (fixed)
    for (double one : times.all)
      json["all_us"].push_back(one * 1e6);
}

Json toJson(const Measurement &m, bool fixed) {
  const Case &c = m.what;
  Json json = ::toJson(c);
  if (!m.refusal.empty()) {
    json["not_implemented"] = m.refusal;
    return json;
  }
  addTimes(json, m, fixed);
  if (c.reference) {
    json["file_limit_us"] = c.reference->limit * 1e6;
    json["best_peer_us"] = c.reference->bestPeer * 1e6;
    json["best_peer"] = c.reference->peer;
    if (c.reference->bestPeer > 0)
      json["ratio_to_best_peer"] = m.counted / c.reference->bestPeer;
  }
  json["roofline"] = toJson(m.memory, m.counted);
  if (m.cached) {
    json["roofline_in_cache"] = toJson(*m.cached, m.counted);
    json["roofline_in_cache"]["gb_per_s"] = m.cachedBandwidth * 1e-9;
  }
  if (m.bf16)
    json["roofline_bf16"] = toJson(*m.bf16, m.counted);
  return json;
}

Json toJson(const Ceilings &top) {
  Json json = {{"buffer_bytes", top.bufferBytes},
               {"read_gb_per_s", top.bandwidth.read * 1e-9},
               {"write_gb_per_s", top.bandwidth.write * 1e-9},
               {"copy_gb_per_s", top.bandwidth.copy * 1e-9},
               {"f32_gflop_per_s", top.f32Peak * 1e-9}};
  if (top.bf16Peak)
    json["bf16_gflop_per_s"] = *top.bf16Peak * 1e-9;
  if (top.fp8Peak)
    json["fp8_gflop_per_s"] = *top.fp8Peak * 1e-9;
  if (top.smallestBetweenEvents)
    json["smallest_kernel_between_events_us"] =
        *top.smallestBetweenEvents * 1e6;
  if (top.smallestInGraph)
    json["smallest_kernel_in_graph_us"] = *top.smallestInGraph * 1e6;
  addLoad(json, "", top.reading);
  addLoad(json, "products_", top.multiplying);
  if (!top.missing.empty())
    json["missing"] = top.missing;
  return json;
}

} // namespace

std::string mla::bench::toJson(const std::string &deviceName,
                               const std::string &commit, const Device &device,
                               const std::vector<BenchRun> &runs) {
  std::time_t now = std::time(nullptr);
  char date[32] = "";
  std::tm utc = {};
  if (gmtime_r(&now, &utc))
    std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
  Json json = {{"tool", "mla-bench"},
               {"version", MLA_VERSION_STRING},
               {"abi", mla_abi_version()},
               {"date", date},
               {"device", deviceName}};
  if (!commit.empty())
    json["commit"] = commit;
  for (const auto &[name, value] : device.describe())
    json["machine"][name] = value;
  json["runs"] = Json::array();
  for (const BenchRun &run : runs) {
    Json entry = {{"threads", run.threads},
                  {"spread", run.spread},
                  {"ceilings", ::toJson(run.ceilings)},
                  {"cases", Json::array()}};
    for (const Measurement &m : run.measurements)
      entry["cases"].push_back(::toJson(m, device.fixedRepetitions() > 0));
    for (const StepMeasurement &m : run.steps)
      entry["steps"].push_back(stepToJson(m));
    json["runs"].push_back(entry);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
