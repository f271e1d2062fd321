//===- merge_states.cpp - Partial attention states added up, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

// A state (o, lse) stands for the pair (exp(lse) o, exp(lse)), and states add
// up as those pairs do.
mla_status mla::cpu::merge_states(mla_context &ctx,
                                  const mla_merge_states_params &params) {
  View states(params.o_states), lses(params.lse_states);
  View acc(params.o), accLse(params.lse);
  if (acc.dim(0) * acc.dim(1) == 0)
    return MLA_STATUS_OK;
  const float empty = -std::numeric_limits<float>::infinity();
  int64_t number = states.dim(0), width = acc.width();
  float *sum = scratch(ctx, 2 * width + 1);
  if (!sum)
    return ctx.status;
  float *row = sum + width;

  for (int64_t t = 0; t < acc.dim(0); ++t)
    for (int64_t h = 0; h < acc.dim(1); ++h) {
      float old = floatAt(accLse, t, h), top = old;
      bool any = false;
      for (int64_t s = 0; s < number; ++s) {
        float lse = floatAt(lses, s, t, h);
        any |= lse != empty;
        top = std::max(top, lse);
      }
      // Adding empty states leaves the accumulator as it is, to the bit.
      if (!any)
        continue;
      std::fill_n(sum, width, 0.0f);
      float total = 0;
      auto add = [&](const View &view, const char *address, float lse) {
        // An empty state's o takes no part, whatever it holds.
        if (lse == empty)
          return;
        float weight = std::exp(lse - top);
        total += weight;
        loadRow(view, address, row);
        for (int64_t d = 0; d < width; ++d)
          sum[d] += weight * row[d];
      };
      add(acc, acc.at(t, h), old);
      for (int64_t s = 0; s < number; ++s)
        add(states, states.at(s, t, h), floatAt(lses, s, t, h));
      for (int64_t d = 0; d < width; ++d)
        sum[d] /= total;
      storeRow(acc, acc.at(t, h), sum);
      floatAt(accLse, t, h) = top + std::log(total);
    }
  return MLA_STATUS_OK;
}
