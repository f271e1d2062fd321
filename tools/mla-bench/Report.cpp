//===- Report.cpp - What was measured, as a table and as JSON -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <ctime>

using namespace mla::bench;
using Json = nlohmann::ordered_json;

void mla::bench::printCeilings(const Device &device, int threads,
                               const Ceilings &ceilings) {
  for (const auto &[name, value] : device.describe())
    std::printf("%s: %s\n", name.c_str(), value.c_str());
  std::printf("ceilings with %d %s%s: read %.1f GB/s and copy %.1f GB/s "
              "over %llu MiB, f32 %.1f GFLOP/s",
              threads, device.unit(), threads == 1 ? "" : "s",
              ceilings.bandwidth.read * 1e-9, ceilings.bandwidth.copy * 1e-9,
              static_cast<unsigned long long>(ceilings.bufferBytes >> 20),
              ceilings.f32Peak * 1e-9);
  if (ceilings.bf16Peak)
    std::printf(", bf16 products %.1f GFLOP/s", *ceilings.bf16Peak * 1e-9);
  if (ceilings.fp8Peak)
    std::printf(", fp8 products %.1f GFLOP/s", *ceilings.fp8Peak * 1e-9);
  if (ceilings.smallestBetweenEvents && ceilings.smallestInGraph)
    std::printf(", smallest kernel %.2f us between events and %.2f us in a "
                "graph",
                *ceilings.smallestBetweenEvents * 1e6,
                *ceilings.smallestInGraph * 1e6);
  std::printf(", write %.1f GB/s\n", ceilings.bandwidth.write * 1e-9);
  for (const std::string &sentence : ceilings.missing)
    std::printf("%s\n", sentence.c_str());
}

namespace {

// share: the roofline's time over the least time. In memory: of bytes /
// memory's bandwidth, f32 peak. In cache: the same with the bandwidth over a
// buffer of the operands' size. bf16: with the peak of bf16 products. of-copy:
// the time of a plain copy of the same rows over the least time.
void printWarmHeader() {
  std::printf("%-72s %10s %10s %8s %9s  %-5s %7s %9s %7s %7s %8s\n", "case",
              "least us", "median us", "GB/s", "GFLOP/s", "limit", "share",
              "in-cache", "share", "bf16", "of-copy");
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * share);
  return text;
}

std::string copyShare(const Measurement &m) {
  return m.patternCopy ? percent(*m.patternCopy / m.counted) : "-";
}

std::string share(const std::optional<Bound> &bound, double seconds) {
  return bound ? percent(bound->seconds / seconds) : "-";
}

void printWarmRow(const Measurement &m) {
  const Times &times = m.times();
  char bandwidth[32] = "-";
  if (m.cached)
    std::snprintf(bandwidth, sizeof(bandwidth), "%.1f",
                  m.cachedBandwidth * 1e-9);
  std::printf("%-72s %10.2f %10.2f %8.2f %9.2f  %-5s %7s %9s %7s %7s %8s\n",
              m.what.name().c_str(), times.least * 1e6, times.median * 1e6,
              m.gigabytes(), m.gigaflops(), m.memory.limit,
              share(m.memory, m.counted).c_str(), bandwidth,
              share(m.cached, m.counted).c_str(),
              share(m.bf16, m.counted).c_str(), copyShare(m).c_str());
}

// Of what counts, the time in a graph where there is one and nothing is
// compared with a file's times. share: the roofline's time, with the peak of
// the operands' type, over the median. of-copy: the time of a plain copy of the
// same rows over the median. peer: the best of the others in the file of cases,
// with a cache of 16 bits, and how many times its time the median is. event:
// a single call between two events.
void printColdHeader() {
  std::printf("%-72s %10s %10s %8s %8s  %-5s %7s %8s %10s %6s %10s\n", "case",
              "median us", "least us", "GB/s", "TFLOP/s", "limit", "share",
              "of-copy", "peer us", "ratio", "event us");
}

void printColdRow(const Measurement &m) {
  char peer[32] = "-", ratio[32] = "-";
  if (const auto &reference = m.what.reference;
      reference && reference->bestPeer > 0) {
    std::snprintf(peer, sizeof(peer), "%.1f", reference->bestPeer * 1e6);
    std::snprintf(ratio, sizeof(ratio), "%.2f",
                  m.counted / reference->bestPeer);
  }
  const Times &times = m.times();
  std::printf("%-72s %10.2f %10.2f %8.1f %8.2f  %-5s %7s %8s %10s %6s %10.2f\n",
              m.what.name().c_str(), times.median * 1e6, times.least * 1e6,
              m.gigabytes(), m.gigaflops() * 1e-3, m.bound().limit,
              share(m.bound(), m.counted).c_str(), copyShare(m).c_str(), peer,
              ratio, m.calls.median * 1e6);
}

//===--- JSON -------------------------------------------------------------===//

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

void mla::bench::printHeader(const Device &device) {
  if (device.fixedRepetitions())
    printColdHeader();
  else
    printWarmHeader();
}

void mla::bench::printRow(const Device &device, const Measurement &m) {
  if (!m.refusal.empty())
    std::printf("%-72s not implemented: %s\n", m.what.name().c_str(),
                m.refusal.c_str());
  else if (device.fixedRepetitions())
    printColdRow(m);
  else
    printWarmRow(m);
  for (const auto &[name, seconds] : m.peers)
    std::printf("  %-70s %10.2f\n", name.c_str(), seconds * 1e6);
  std::fflush(stdout);
}

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
                  {"ceilings", ::toJson(run.ceilings)},
                  {"cases", Json::array()}};
    for (const Measurement &m : run.measurements)
      entry["cases"].push_back(::toJson(m, device.fixedRepetitions() > 0));
    json["runs"].push_back(entry);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
