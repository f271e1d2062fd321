//===- Plans.cpp - The launches that a case is run in ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Plans.h"

#include <algorithm>

namespace mla::parity {

int64_t Launch::numTokens() const {
  int64_t count = padding;
  for (const Segment &segment : segments)
    count += segment.count;
  return count;
}

int64_t Launch::numGenerationTokens() const {
  int64_t count = 0;
  for (int64_t i = 0; i < generationSequences; ++i)
    count += segments[static_cast<size_t>(i)].count;
  return count;
}

const std::vector<std::string> &getPlanNames() {
  static const std::vector<std::string> names = {"prefill", "stepwise", "batch",
                                                 "mixed"};
  return names;
}

static std::vector<Launch> planPrefill(int64_t tokens) {
  return {{{{0, tokens}}, 0, tokens, 0}};
}

static std::vector<Launch> planStepwise(int64_t tokens) {
  std::vector<Launch> launches;
  int64_t half = tokens / 2;
  if (half)
    launches.push_back({{{0, half}}, 0, half, 0});
  for (int64_t token = half; token < tokens; ++token)
    launches.push_back({{{token, 1}}, 0, token + 1, 1});
  return launches;
}

static std::vector<Launch> planBatch(int64_t tokens) {
  // Of each sequence, where its prefix and its continuation end.
  const std::pair<int64_t, int64_t> ends[] = {
      {0, tokens},              // nothing is cached yet
      {tokens / 2, tokens},     // context with history
      {tokens - 1, tokens},     // one token: generation
      {tokens / 3, tokens / 3}, // nothing new
      {0, 0},                   // nothing at all
      {std::min<int64_t>(1, tokens), tokens / 2 + 1}};
  Launch prefixes, continuations, nothing;
  for (auto [prefix, end] : ends) {
    prefixes.segments.push_back({0, prefix});
    continuations.segments.push_back({prefix, end - prefix});
    nothing.segments.push_back({end, 0});
  }
  prefixes.padding = 2;
  continuations.padding = 3;
  return {prefixes, continuations, nothing};
}

static std::vector<Launch> planMixed(int64_t tokens) {
  // Of each sequence, where its launches end; the first two are in generation
  // from the second launch on. The others have so little history then that
  // rebuilding keys and values is the cheaper form for them.
  struct Ends {
    int64_t first, second, third;
  };
  int64_t last = tokens - 1;
  const Ends ends[] = {
      {std::max<int64_t>(tokens - 2, 0), last, tokens},
      {last / 2, std::min(last / 2 + 1, last), std::min(last / 2 + 2, last)},
      {0, last, tokens},
      {std::min<int64_t>(4, last), last, tokens}};
  Launch prefixes, mixed, generation;
  for (const Ends &end : ends) {
    prefixes.segments.push_back({0, end.first});
    mixed.segments.push_back({end.first, end.second - end.first});
    generation.segments.push_back({end.second, end.third - end.second});
  }
  prefixes.maxKeys = std::max<int64_t>(tokens - 2, 0);
  mixed.maxKeys = last;
  mixed.generationSequences = 2;
  mixed.padding = 5;
  generation.maxKeys = tokens;
  generation.generationSequences = 4;
  generation.padding = 1;
  return {prefixes, mixed, generation};
}

std::vector<Launch> planLaunches(const std::string &plan, int64_t tokens) {
  if (plan == "stepwise")
    return planStepwise(tokens);
  if (plan == "batch")
    return planBatch(tokens);
  if (plan == "mixed")
    return planMixed(tokens);
  return planPrefill(tokens);
}

} // namespace mla::parity
