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
  std::printf("ceilings with %d thread%s: read %.1f GB/s and copy %.1f GB/s "
              "over %llu MiB, f32 %.1f GFLOP/s",
              threads, threads == 1 ? "" : "s", ceilings.readBandwidth * 1e-9,
              ceilings.copyBandwidth * 1e-9,
              static_cast<unsigned long long>(ceilings.bufferBytes >> 20),
              ceilings.f32Peak * 1e-9);
  if (ceilings.bf16Peak)
    std::printf(", bf16 dot %.1f GFLOP/s", *ceilings.bf16Peak * 1e-9);
  std::printf("\n");
}

// share: the roofline's time over the least time. In memory: of bytes /
// memory's bandwidth, f32 peak. In cache: the same with the bandwidth over a
// buffer of the operands' size. bf16: with the peak of bf16 products.
void mla::bench::printHeader() {
  std::printf("%-52s %10s %10s %8s %9s  %-5s %7s %9s %7s %7s\n", "case",
              "least us", "median us", "GB/s", "GFLOP/s", "limit", "share",
              "in-cache", "share", "bf16");
}

static std::string share(const std::optional<Bound> &bound, double seconds) {
  if (!bound)
    return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * bound->seconds / seconds);
  return text;
}

void mla::bench::printRow(const Measurement &m) {
  std::string name = m.what.name();
  if (!m.refusal.empty()) {
    std::printf("%-52s not implemented: %s\n", name.c_str(), m.refusal.c_str());
    return;
  }
  char bandwidth[32] = "-";
  if (m.cached)
    std::snprintf(bandwidth, sizeof(bandwidth), "%.1f",
                  m.cachedBandwidth * 1e-9);
  std::printf("%-52s %10.2f %10.2f %8.2f %9.2f  %-5s %7s %9s %7s %7s\n",
              name.c_str(), m.least * 1e6, m.median * 1e6, m.gigabytes(),
              m.gigaflops(), m.memory.limit, share(m.memory, m.least).c_str(),
              bandwidth, share(m.cached, m.least).c_str(),
              share(m.bf16, m.least).c_str());
  std::fflush(stdout);
}

static Json toJson(const Bound &bound, double least) {
  return {{"us", bound.seconds * 1e6},
          {"limit", bound.limit},
          {"share", bound.seconds / least}};
}

static Json toJson(const Measurement &m) {
  const Case &c = m.what;
  Json json = {{"case", c.name()},
               {"op", opName(c.op)},
               {"dtype", mla_dtype_name(c.dtype)},
               {"cache_dtype", mla_dtype_name(c.cacheDtype)},
               {"B", c.batch},
               {"kv", c.keys},
               {"T", c.tokens()},
               {"H", c.heads},
               {"L", c.latent},
               {"R", c.pe},
               {"N", c.nope},
               {"V", c.value},
               {"P", c.page},
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
  json["roofline"] = toJson(m.memory, m.least);
  if (m.cached) {
    json["roofline_in_cache"] = toJson(*m.cached, m.least);
    json["roofline_in_cache"]["gb_per_s"] = m.cachedBandwidth * 1e-9;
  }
  if (m.bf16)
    json["roofline_bf16"] = toJson(*m.bf16, m.least);
  return json;
}

std::string mla::bench::toJson(const std::string &deviceName,
                               const Device &device,
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
  for (const auto &[name, value] : device.describe())
    json["machine"][name] = value;
  json["runs"] = Json::array();
  for (const BenchRun &run : runs) {
    const Ceilings &top = run.ceilings;
    Json entry = {{"threads", run.threads},
                  {"ceilings",
                   {{"buffer_bytes", top.bufferBytes},
                    {"read_gb_per_s", top.readBandwidth * 1e-9},
                    {"copy_gb_per_s", top.copyBandwidth * 1e-9},
                    {"f32_gflop_per_s", top.f32Peak * 1e-9}}},
                  {"cases", Json::array()}};
    if (top.bf16Peak)
      entry["ceilings"]["bf16_gflop_per_s"] = *top.bf16Peak * 1e-9;
    for (const Measurement &m : run.measurements)
      entry["cases"].push_back(::toJson(m));
    json["runs"].push_back(entry);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
