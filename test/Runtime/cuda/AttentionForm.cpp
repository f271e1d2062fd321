//===- AttentionForm.cpp - What calls of absorbed attention are of --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionForm.h"

#include <cmath>

using namespace mla;
using namespace mla::test;

/// A page, a bound or a position far beyond all.
static const int64_t nowhere = 1 << 30;

std::string AttentionForm::describe() const {
  auto list = [](const std::vector<int64_t> &values) {
    std::string text;
    for (size_t i = 0; i < std::min<size_t>(values.size(), 12); ++i)
      text += (i ? " " : "") + std::to_string(values[i]);
    return text + (values.size() > 12 ? " ..." : "");
  };
  return std::string(mla_dtype_name(dtype)) + " to " +
         mla_dtype_name(outDtype) + ", L " + std::to_string(latentWidth) +
         ", R " + std::to_string(peWidth) + ", P " + std::to_string(pageSize) +
         ", H " + std::to_string(heads) +
         (headGap ? ", heads apart by " + std::to_string(headGap) : "") +
         (tokenGap ? ", tokens apart by " + std::to_string(tokenGap) : "") +
         (sharesQuery ? ", one query" : "") + ", rows " +
         std::to_string(static_cast<int>(rows)) + ", bounds " +
         std::to_string(static_cast<int>(bounds)) +
         (hasSinks ? ", sinks" : "") + (hasSchedule ? "" : ", no schedule") +
         (topk < 0 ? "" : ", " + std::to_string(topk) + " indices") +
         (repeats ? ", repeated" : "") +
         (poisonsOthers ? ", the others poisoned" : "") +
         (isSharp ? ", sharp" : "") + ", " + std::to_string(lengths.size()) +
         " lengths " + list(lengths) + ", tokens " + list(tokens) + ", seed " +
         std::to_string(seed);
}

std::vector<int64_t> mla::test::normalLengths(Random &random, int64_t count,
                                              double mean, int64_t least) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i) {
    double radius = std::sqrt(-2 * std::log(1 - random.real(0, 1)));
    double normal = radius * std::cos(random.real(0, 2 * M_PI));
    lengths.push_back(
        std::max(static_cast<int64_t>(mean + mean / 2 * normal), least));
  }
  return lengths;
}

int64_t AttentionForm::numTokens() const {
  return std::accumulate(tokens.begin(), tokens.end(), padding);
}

std::vector<int64_t> AttentionForm::offsets() const {
  std::vector<int64_t> result = {0};
  for (int64_t count : tokens)
    result.push_back(result.back() + count);
  return result;
}

std::vector<int64_t> AttentionForm::drawPages(Random &random, int64_t pages,
                                              int64_t columns) const {
  std::vector<int64_t> table(lengths.size() * columns, nowhere);
  std::vector<int64_t> order = random.choose(pages, pages);
  size_t next = 0;
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t i = 0; i * pageSize < lengths[b]; ++i)
      table[b * columns + i] = order[next++];
  return table;
}

std::vector<int64_t> AttentionForm::drawBounds(Random &random) const {
  std::vector<int64_t> result;
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t i = 0; i < tokens[b]; ++i)
      result.push_back(bounds == KeyBounds::All
                           ? lengths[b]
                           : random.integer(0, lengths[b]));
  result.resize(numTokens(), nowhere);
  return result;
}

std::vector<int64_t> AttentionForm::drawIndices(Random &random) const {
  std::vector<int64_t> result;
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t i = 0; i < tokens[b]; ++i)
      // Some are beyond the sequence's end.
      for (int64_t position : random.choose(topk, lengths[b] + topk)) {
        bool again = repeats && !result.empty() && random.chance(0.2);
        result.push_back(random.chance(absent) ? -1
                         : again               ? result.back()
                                               : position);
      }
  result.resize(numTokens() * topk, nowhere);
  return result;
}
