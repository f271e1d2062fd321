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
  if (ceilings.smallestBetweenEvents && ceilings.smallestInGraph)
    std::printf(", smallest kernel %.2f us between events and %.2f us in a "
                "graph",
                *ceilings.smallestBetweenEvents * 1e6,
                *ceilings.smallestInGraph * 1e6);
  std::printf("\n");
}

namespace {

// share: the roofline's time over the least time. In memory: of bytes /
// memory's bandwidth, f32 peak. In cache: the same with the bandwidth over a
// buffer of the operands' size. bf16: with the peak of bf16 products.
void printWarmHeader() {
  std::printf("%-52s %10s %10s %8s %9s  %-5s %7s %9s %7s %7s\n", "case",
              "least us", "median us", "GB/s", "GFLOP/s", "limit", "share",
              "in-cache", "share", "bf16");
}

std::string share(const std::optional<Bound> &bound, double seconds) {
  if (!bound)
    return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * bound->seconds / seconds);
  return text;
}

void printWarmRow(const Measurement &m) {
  std::string name = m.what.name();
  char bandwidth[32] = "-";
  if (m.cached)
    std::snprintf(bandwidth, sizeof(bandwidth), "%.1f",
                  m.cachedBandwidth * 1e-9);
  std::printf("%-52s %10.2f %10.2f %8.2f %9.2f  %-5s %7s %9s %7s %7s\n",
              name.c_str(), m.least * 1e6, m.median * 1e6, m.gigabytes(),
              m.gigaflops(), m.memory.limit, share(m.memory, m.least).c_str(),
              bandwidth, share(m.cached, m.least).c_str(),
              share(m.bf16, m.least).c_str());
}

// Of the median. share: the roofline's time, with the peak of the operands'
// type, over the median. peer: the best of the others in the file of cases,
// with a cache of 16 bits, and how many times its time the median is. eager:
// where the call is a graph's, what it takes without one.
void printColdHeader() {
  std::printf("%-60s %10s %10s %8s %8s  %-5s %7s %10s %6s %10s\n", "case",
              "median us", "least us", "GB/s", "TFLOP/s", "limit", "share",
              "peer us", "ratio", "eager us");
}

void printColdRow(const Measurement &m) {
  char peer[32] = "-", ratio[32] = "-";
  if (const auto &reference = m.what.reference;
      reference && reference->bestPeer > 0) {
    std::snprintf(peer, sizeof(peer), "%.1f", reference->bestPeer * 1e6);
    std::snprintf(ratio, sizeof(ratio), "%.2f",
                  m.counted / reference->bestPeer);
  }
  char eager[32] = "-";
  if (m.callMedian)
    std::snprintf(eager, sizeof(eager), "%.2f", *m.callMedian * 1e6);
  std::printf("%-60s %10.2f %10.2f %8.1f %8.2f  %-5s %7s %10s %6s %10s\n",
              m.what.name().c_str(), m.median * 1e6, m.least * 1e6,
              m.gigabytes(), m.gigaflops() * 1e-3, m.bound().limit,
              share(m.bound(), m.counted).c_str(), peer, ratio, eager);
}

Json toJson(const Bound &bound, double seconds) {
  return {{"us", bound.seconds * 1e6},
          {"limit", bound.limit},
          {"share", bound.seconds / seconds}};
}

Json toJson(const Measurement &m) {
  const Case &c = m.what;
  Json json = {{"case", c.name()},
               {"op", opName(c.op)},
               {"dtype", mla_dtype_name(c.dtype)},
               {"cache_dtype", mla_dtype_name(c.cacheDtype)},
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
  if (!m.refusal.empty()) {
    json["not_implemented"] = m.refusal;
    return json;
  }
  json["iterations"] = m.iterations;
  json["least_us"] = m.least * 1e6;
  json["median_us"] = m.median * 1e6;
  json["gb_per_s"] = m.gigabytes();
  json["gflop_per_s"] = m.gigaflops();
  if (!m.seconds.empty()) {
    json["called"] = m.callMedian ? "graph" : "eager";
    if (m.callMedian)
      json["eager_median_us"] = *m.callMedian * 1e6;
    for (double one : m.seconds)
      json["all_us"].push_back(one * 1e6);
  }
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

} // namespace

void mla::bench::printHeader(const Device &device) {
  if (device.fixedRepetitions())
    printColdHeader();
  else
    printWarmHeader();
}

void mla::bench::printRow(const Device &device, const Measurement &m) {
  if (!m.refusal.empty())
    std::printf("%-52s not implemented: %s\n", m.what.name().c_str(),
                m.refusal.c_str());
  else if (device.fixedRepetitions())
    printColdRow(m);
  else
    printWarmRow(m);
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
    const Ceilings &top = run.ceilings;
    Json entry = {{"threads", run.threads},
                  {"ceilings",
                   {{"buffer_bytes", top.bufferBytes},
                    {"read_gb_per_s", top.bandwidth.read * 1e-9},
                    {"copy_gb_per_s", top.bandwidth.copy * 1e-9},
                    {"f32_gflop_per_s", top.f32Peak * 1e-9}}},
                  {"cases", Json::array()}};
    if (top.bf16Peak)
      entry["ceilings"]["bf16_gflop_per_s"] = *top.bf16Peak * 1e-9;
    if (top.smallestBetweenEvents)
      entry["ceilings"]["smallest_kernel_between_events_us"] =
          *top.smallestBetweenEvents * 1e6;
    if (top.smallestInGraph)
      entry["ceilings"]["smallest_kernel_in_graph_us"] =
          *top.smallestInGraph * 1e6;
    for (const Measurement &m : run.measurements)
      entry["cases"].push_back(::toJson(m));
    json["runs"].push_back(entry);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
