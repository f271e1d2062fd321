//===- Forms.cpp - The launches that a form of a core consists of ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"

#include <algorithm>

namespace mla::parity {

int64_t Launch::numTokens() const {
  int64_t count = padding;
  for (const Segment &segment : segments)
    count += segment.count;
  return count;
}

const std::vector<std::string> &getFormNames() {
  static const std::vector<std::string> names = {"absorbed", "stepwise",
                                                 "batch"};
  return names;
}

static std::vector<Launch> planStepwise(int64_t tokens) {
  std::vector<Launch> launches;
  int64_t half = tokens / 2;
  if (half)
    launches.push_back({{{0, half}}, 0});
  for (int64_t token = half; token < tokens; ++token)
    launches.push_back({{{token, 1}}, 0});
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

std::vector<Launch> planForm(const std::string &form, int64_t tokens) {
  if (form == "stepwise")
    return planStepwise(tokens);
  if (form == "batch")
    return planBatch(tokens);
  return {{{{0, tokens}}, 0}};
}

} // namespace mla::parity
