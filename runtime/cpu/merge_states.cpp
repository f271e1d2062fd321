//===- merge_states.cpp - Partial attention states added up, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Rows.h"
#include "Threads.h"
#include "simd/Dispatch.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

/// A state (o, lse) stands for the pair (exp(lse) o, exp(lse)), and states add
/// up as those pairs do.
class MergeStates {
public:
  explicit MergeStates(const mla_merge_states_params &params)
      : states(params.o_states), lses(params.lse_states), acc(params.o),
        accLse(params.lse) {}

  int64_t numRows() const { return acc.dim(0) * acc.dim(1); }
  /// Floats that a row is added up in.
  int64_t scratchSize() const { return 2 * acc.width(); }
  double work() const {
    return static_cast<double>(numRows()) * acc.width() * (states.dim(0) + 1);
  }

  /// Adds token `t`'s states of head `h` to the accumulator.
  void merge(int64_t t, int64_t h, float *block) const {
    const float empty = -std::numeric_limits<float>::infinity();
    int64_t number = states.dim(0), width = acc.width();
    float old = floatAt(accLse, t, h), top = old;
    bool any = false;
    for (int64_t s = 0; s < number; ++s) {
      float lse = floatAt(lses, s, t, h);
      any |= lse != empty;
      top = std::max(top, lse);
    }
    // Adding empty states leaves the accumulator as it is, to the bit.
    if (!any)
      return;
    float *sum = block, *row = block + width, total = 0;
    std::fill_n(sum, width, 0.0f);
    auto add = [&](const View &view, const char *address, float lse) {
      // An empty state's o takes no part, whatever it holds.
      if (lse == empty)
        return;
      float weight = std::exp(lse - top);
      total += weight;
      loadRow(view, address, row);
      simd().add(sum, width, weight, row);
    };
    add(acc, acc.at(t, h), old);
    for (int64_t s = 0; s < number; ++s)
      add(states, states.at(s, t, h), floatAt(lses, s, t, h));
    simd().scale(sum, width, 1.0f / total);
    storeRow(acc, acc.at(t, h), sum);
    floatAt(accLse, t, h) = top + std::log(total);
  }

private:
  View states, lses, acc, accLse;
};

} // namespace

mla_status mla::cpu::merge_states(mla_context &ctx,
                                  const mla_merge_states_params &params) {
  MergeStates states(params);
  int64_t rows = states.numRows(), heads = View(params.o).dim(1);
  if (rows == 0)
    return MLA_STATUS_OK;
  int64_t each = paddedWidth(states.scratchSize());
  float *block = scratch(ctx, maxThreads(ctx) * each);
  if (!block)
    return ctx.status;
  int64_t threads = threadsFor(ctx, states.work());
  int64_t turn = rows / (4 * threads) + 1;
  parallelFor(threads, (rows + turn - 1) / turn,
              [&](int64_t i, int64_t thread) {
                for (int64_t row = i * turn;
                     row < std::min(rows, (i + 1) * turn); ++row)
                  states.merge(row / heads, row % heads, block + thread * each);
              });
  return MLA_STATUS_OK;
}
