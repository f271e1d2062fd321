//===- Softmax.h - Attention's running softmax over blocks of keys --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_SOFTMAX_H
#define MLA_RUNTIME_CPU_SOFTMAX_H

#include "View.h"

namespace mla {
namespace cpu {

/// Softmax-weighted sums of `rows` queries over values of `width`, taken a
/// block of keys at a time (online softmax, Milakov and Gimelshein,
/// arXiv:1805.02867): each row keeps its largest logit, the sum of exponentials
/// below it and the weighted sum of values. A key never sees another row's
/// arithmetic, and a block is what all rows see: nothing is masked by
/// multiplying with 0, so a NaN in a key that a query doesn't see can't reach
/// it.
class Softmax {
public:
  static int64_t scratchSize(int64_t rows, int64_t width) {
    return rows * (width + 2);
  }

  Softmax() = default;
  /// `block` holds scratchSize(rows, width) floats.
  Softmax(float *block, int64_t rows, int64_t width)
      : rows(rows), width(width), acc(block), peak(block + rows * width),
        total(peak + rows) {}

  /// No key yet. A sink is a key with the logit `sink` and no value: the state
  /// (o = 0, lse = sink). `sink` = -infinity: none.
  void reset(int64_t row, float sink);

  /// Adds `count` keys to the rows [first, first + number): `logits` [number,
  /// count] with leading dimension `stride`, overwritten; `values` [count,
  /// width].
  void add(int64_t first, int64_t number, float *logits, int64_t stride,
           int64_t count, const float *values, int64_t valueStride);

  /// Divides the row's sum in place and returns it; 0 where no key was added.
  const float *finish(int64_t row);

  /// Natural logarithm of the sum of exp(logits); -infinity for no key.
  float lse(int64_t row) const;

private:
  int64_t rows = 0, width = 0;
  float *acc = nullptr, *peak = nullptr, *total = nullptr;
};

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_SOFTMAX_H
