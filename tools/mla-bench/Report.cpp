//===- Report.cpp - What was measured, as a table -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <cstdio>

using namespace mla::bench;

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
