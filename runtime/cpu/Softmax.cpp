//===- Softmax.cpp - Attention's running softmax over blocks of keys ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Softmax.h"

#include "Gemm.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

static const float negativeInfinity = -std::numeric_limits<float>::infinity();

void Softmax::reset(int64_t row, float sink) {
  std::fill_n(acc + row * width, width, 0.0f);
  peak[row] = sink;
  total[row] = sink == negativeInfinity ? 0.0f : 1.0f;
}

void Softmax::add(int64_t first, int64_t number, float *logits, int64_t stride,
                  int64_t count, const float *values, int64_t valueStride) {
  for (int64_t i = 0; i < number; ++i) {
    float *row = logits + i * stride;
    float old = peak[first + i];
    float top = old;
    for (int64_t k = 0; k < count; ++k)
      top = std::max(top, row[k]);
    // exp(-inf - -inf) would be NaN where the weight is 0.
    float shift = top == negativeInfinity ? 0.0f : top;
    float sum = 0;
    for (int64_t k = 0; k < count; ++k) {
      row[k] = std::exp(row[k] - shift);
      sum += row[k];
    }
    if (old != top) {
      float factor = std::exp(old - top);
      float *out = acc + (first + i) * width;
      for (int64_t d = 0; d < width; ++d)
        out[d] *= factor;
      total[first + i] *= factor;
    }
    total[first + i] += sum;
    peak[first + i] = top;
  }
  gemmNN(number, width, count, logits, stride, values, valueStride,
         acc + first * width, width);
}

const float *Softmax::finish(int64_t row) {
  float *out = acc + row * width;
  // Nothing was added to the sum either where the total is 0.
  if (total[row] != 0) {
    float inverse = 1.0f / total[row];
    for (int64_t d = 0; d < width; ++d)
      out[d] *= inverse;
  }
  return out;
}

float Softmax::lse(int64_t row) const {
  if (total[row] == 0)
    return negativeInfinity;
  return peak[row] + std::log(total[row]);
}
