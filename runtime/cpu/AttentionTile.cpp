//===- AttentionTile.cpp - Attention of some queries, block by block ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

static const float negativeInfinity = -std::numeric_limits<float>::infinity();

/// Floats of the queries, which are row-major or transposed.
static int64_t queryFloats(const AttentionTile::Shape &shape) {
  int64_t lines = paddedWidth(shape.rows);
  return std::max(shape.rows * leadingDim(shape.width),
                  shape.width * leadingDim(lines));
}

int64_t AttentionTile::scratchSize(const Shape &shape) {
  int64_t lines = paddedWidth(shape.rows);
  return paddedWidth(queryFloats(shape)) +
         blockKeys * (leadingDim(shape.width) + leadingDim(lines)) +
         (shape.valuesApart ? blockKeys * leadingDim(shape.valueWidth) : 0) +
         shape.rows * leadingDim(shape.valueWidth) +
         lines * 6; // peak, total, factor, visible; bounds are twice as wide
}

AttentionTile::AttentionTile(float *block, const Shape &shape) : shape(shape) {
  int64_t lines = paddedWidth(shape.rows);
  keyStride = leadingDim(shape.width);
  sumStride = leadingDim(shape.valueWidth);
  queries = block;
  keys = queries + paddedWidth(queryFloats(shape));
  logits = keys + blockKeys * keyStride;
  sums = logits + blockKeys * leadingDim(lines);
  peak = sums + shape.rows * sumStride;
  total = peak + lines;
  factor = total + lines;
  visible = reinterpret_cast<int32_t *>(factor + lines);
  bounds = reinterpret_cast<int64_t *>(visible + lines);
  values = shape.valuesApart ? reinterpret_cast<float *>(bounds + lines) : keys;
  valueStride = shape.valuesApart ? sumStride : keyStride;
}

void AttentionTile::begin(int64_t count) {
  rows = count;
  few = rows <= simd().fewRows;
  logitStride = leadingDim(rows);
  int64_t lines = paddedWidth(rows);
  std::fill_n(sums, rows * sumStride, 0.0f);
  std::fill_n(peak, lines, negativeInfinity);
  std::fill_n(total, lines, 0.0f);
  std::fill_n(bounds, lines, std::numeric_limits<int64_t>::max());
  least = std::numeric_limits<int64_t>::max();
  // Nobody reads what the padding gives, but it is multiplied.
  if (few) {
    int64_t padding = keyStride - shape.width;
    for (int64_t i = 0; i < rows; ++i)
      std::fill_n(queries + i * keyStride + shape.width, padding, 0.0f);
    for (int64_t k = 0; k < blockKeys; ++k)
      std::fill_n(keys + k * keyStride + shape.width, padding, 0.0f);
    std::fill_n(logits, blockKeys * logitStride, 0.0f);
  } else {
    for (int64_t d = 0; d < shape.width; ++d)
      std::fill_n(queries + d * logitStride + rows, lines - rows, 0.0f);
  }
}

void AttentionTile::setSink(int64_t row, float sink) {
  peak[row] = sink;
  total[row] = sink == negativeInfinity ? 0.0f : 1.0f;
}

void AttentionTile::setBound(int64_t row, int64_t bound) {
  bounds[row] = bound;
  least = std::min(least, bound);
}

/// Works out how many of the block's keys each row sees. False: all.
bool AttentionTile::hidesKeys(int64_t first, int64_t count) {
  if (first + count <= least)
    return false;
  for (int64_t i = 0; i < paddedWidth(rows); ++i)
    visible[i] = static_cast<int32_t>(
        std::min(std::max<int64_t>(bounds[i] - first, 0), count));
  return true;
}

void AttentionTile::addBlock(int64_t first, int64_t count) {
  if (count == 0)
    return;
  if (few)
    simd().dots(rows, count, shape.width, queries, keyStride, keys, keyStride,
                logits, 1, logitStride);
  else
    simd().multiply(count, rows, shape.width, keys, keyStride, queries,
                    logitStride, logits, logitStride, /*accumulate=*/false);
  bool hidden = hidesKeys(first, count);
  if (simd().softmax(paddedWidth(rows), count, logits, logitStride,
                     hidden ? visible : nullptr, peak, total, factor))
    for (int64_t i = 0; i < rows; ++i)
      if (factor[i] != 1)
        simd().scale(sums + i * sumStride, shape.valueWidth, factor[i]);
  addValues(count, hidden);
}

void AttentionTile::addValues(int64_t count, bool hidden) {
  if (!hidden || simd().finite(count, shape.valueWidth, values, valueStride))
    return simd().multiplyTransposed(rows, shape.valueWidth, count, logits,
                                     logitStride, values, valueStride, sums,
                                     sumStride, /*accumulate=*/true);
  for (int64_t i = 0, next; i < rows; i = next) {
    for (next = i + 1; next < rows && visible[next] == visible[i];)
      ++next;
    simd().multiplyTransposed(next - i, shape.valueWidth, visible[i],
                              logits + i, logitStride, values, valueStride,
                              sums + i * sumStride, sumStride,
                              /*accumulate=*/true);
  }
}

float *AttentionTile::finish(int64_t row) {
  float *sum = sums + row * sumStride;
  // Nothing was added to the sum either where the total is 0.
  if (total[row] != 0)
    simd().scale(sum, shape.valueWidth, 1.0f / total[row]);
  return sum;
}

float AttentionTile::lse(int64_t row) const {
  if (total[row] == 0)
    return negativeInfinity;
  return peak[row] + std::log(total[row]);
}
