//===- absorbed_attention.cpp - Over the paged latent ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "absorbed_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla::reference;

std::vector<int64_t> AbsorbedAttention::visibleKeys(int64_t b,
                                                    int64_t t) const {
  int64_t bound = kvLens.integer(b) - (cuQ.integer(b + 1) - 1 - t);
  if (kvBounds.present())
    bound = kvBounds.integer(t);
  std::vector<int64_t> keys;
  if (!indices.present()) {
    for (int64_t p = 0; p < bound; ++p)
      keys.push_back(p);
    return keys;
  }
  for (int64_t i = 0; i < indices.width(); ++i) {
    int64_t p = indices.integer(t, i);
    if (p >= 0 && p < bound)
      keys.push_back(p);
  }
  return keys;
}

State AbsorbedAttention::compute() const {
  const double none = -std::numeric_limits<double>::infinity();
  int64_t tokens = query.dim(0), heads = query.dim(1);
  int64_t width = latent.width(), pageSize = latent.dim(1);
  State state{Array({tokens, heads, width}), Array({tokens, heads}, none)};
  for (int64_t b = 0; b < kvLens.dim(0); ++b)
    for (int64_t t = cuQ.integer(b); t < cuQ.integer(b + 1); ++t) {
      std::vector<int64_t> keys = visibleKeys(b, t);
      std::vector<double> logits(keys.size());
      for (int64_t h = 0; h < heads; ++h) {
        double top = sinks.present() ? sinks.at(h) : none;
        const double *q = query.data.data() + (t * heads + h) * query.width();
        for (size_t k = 0; k < keys.size(); ++k) {
          int64_t row = pageTable.integer(b, keys[k] / pageSize) * pageSize +
                        keys[k] % pageSize;
          double dot = 0;
          for (int64_t i = 0; i < width; ++i)
            dot += q[i] * latent.data[row * width + i];
          for (int64_t i = 0; i < pe.width(); ++i)
            dot += q[width + i] * pe.data[row * pe.width() + i];
          logits[k] = softmaxScale * dot;
          top = std::max(top, logits[k]);
        }
        if (top == none)
          continue;
        double total = sinks.present() ? std::exp(sinks.at(h) - top) : 0;
        double *o = state.o.data.data() + (t * heads + h) * width;
        for (size_t k = 0; k < keys.size(); ++k) {
          int64_t row = pageTable.integer(b, keys[k] / pageSize) * pageSize +
                        keys[k] % pageSize;
          double weight = std::exp(logits[k] - top);
          total += weight;
          for (int64_t i = 0; i < width; ++i)
            o[i] += weight * latent.data[row * width + i];
        }
        for (int64_t i = 0; i < width; ++i)
          o[i] /= total;
        state.lse.at(t, h) = top + std::log(total);
      }
    }
  return state;
}
