//===- expanded_attention.cpp - Over rebuilt keys and values --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "expanded_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla::reference;

State ExpandedAttention::compute() const {
  const double none = -std::numeric_limits<double>::infinity();
  int64_t tokens = q.dim(0), heads = q.dim(1), nope = kNope.width();
  State state{Array({tokens, heads, v.width()}), Array({tokens, heads}, none)};
  for (int64_t b = 0; b + 1 < cuQ.dim(0); ++b)
    for (int64_t t = cuQ.integer(b); t < cuQ.integer(b + 1); ++t)
      for (int64_t h = 0; h < heads; ++h) {
        bool window = windowLength > 0;
        int64_t length =
            window ? kvLens.integer(b) : cuK.integer(b + 1) - cuK.integer(b);
        // Every key of the sequence is asked in turn whether it takes part.
        std::vector<std::pair<int64_t, double>> keys; // row, logit
        double top = sinks.present() ? sinks.at(h) : none;
        for (int64_t p = 0; p < length; ++p) {
          if (window && (p < windowStart || p >= windowStart + windowLength))
            continue;
          if (causal && length - 1 - p < cuQ.integer(b + 1) - 1 - t)
            continue;
          bool chosen = !indices.present();
          for (int64_t i = 0; i < indices.width(); ++i)
            chosen |= indices.integer(t, i) == p;
          if (!chosen)
            continue;
          int64_t row =
              window ? b * windowLength + p - windowStart : cuK.integer(b) + p;
          double dot = 0;
          for (int64_t i = 0; i < nope; ++i)
            dot += q.at(t, h, i) * kNope.at(row, h, i);
          for (int64_t i = 0; i < kPe.width(); ++i)
            dot += q.at(t, h, nope + i) * kPe.at(row, i);
          keys.emplace_back(row, softmaxScale * dot);
          top = std::max(top, keys.back().second);
        }
        if (top == none)
          continue;
        double total = sinks.present() ? std::exp(sinks.at(h) - top) : 0;
        for (auto [row, logit] : keys) {
          double weight = std::exp(logit - top);
          total += weight;
          for (int64_t i = 0; i < v.width(); ++i)
            state.o.at(t, h, i) += weight * v.at(row, h, i);
        }
        for (int64_t i = 0; i < v.width(); ++i)
          state.o.at(t, h, i) /= total;
        state.lse.at(t, h) = top + std::log(total);
      }
  return state;
}
