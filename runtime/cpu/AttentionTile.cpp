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
  return std::max(shape.rows * leadingDim(shape.width()),
                  shape.width() * leadingDim(lines));
}

int64_t AttentionTile::scratchSize(const Shape &shape) {
  int64_t lines = paddedWidth(shape.rows);
  return paddedWidth(queryFloats(shape)) +
         blockKeys * (leadingDim(shape.width()) + leadingDim(lines)) +
         (shape.valuesApart ? blockKeys * leadingDim(shape.value.width) : 0) +
         shape.rows * leadingDim(shape.value.width) +
         lines * 6; // peak, total, factor, visible; bounds are twice as wide
}

AttentionTile::AttentionTile(float *block, const Shape &shape) : shape(shape) {
  int64_t lines = paddedWidth(shape.rows);
  keyStride = leadingDim(shape.width());
  sumStride = leadingDim(shape.value.width);
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
  auto takes = [&](const Part &part) {
    return part.kernels && rows <= part.kernels->most;
  };
  direct = takes(shape.nope) && takes(shape.value) &&
           (shape.pe.width == 0 || takes(shape.pe));
  logitStride = leadingDim(rows);
  int64_t lines = paddedWidth(rows);
  std::fill_n(sums, rows * sumStride, 0.0f);
  std::fill_n(peak, lines, negativeInfinity);
  std::fill_n(total, lines, 0.0f);
  std::fill_n(bounds, lines, std::numeric_limits<int64_t>::max());
  least = std::numeric_limits<int64_t>::max();
  clearPadding();
  if (few && !direct)
    for (int64_t k = 0; k < blockKeys; ++k)
      setKey(k, key(k), nullptr, value(k));
}

/// Nobody reads what comes of the padding, but it is computed with.
void AttentionTile::clearPadding() {
  int64_t lines = paddedWidth(rows), width = shape.width();
  if (!few) {
    for (int64_t d = 0; d < width; ++d)
      std::fill_n(queries + d * logitStride + rows, lines - rows, 0.0f);
    return;
  }
  for (int64_t i = 0; i < rows; ++i)
    std::fill_n(queries + i * keyStride + width, keyStride - width, 0.0f);
  for (int64_t k = 0; !direct && k < blockKeys; ++k)
    std::fill_n(keys + k * keyStride + width, keyStride - width, 0.0f);
  std::fill_n(logits, blockKeys * logitStride, 0.0f);
}

void AttentionTile::setSink(int64_t row, float sink) {
  peak[row] = sink;
  total[row] = sink == negativeInfinity ? 0.0f : 1.0f;
}

void AttentionTile::setBound(int64_t row, int64_t bound) {
  bounds[row] = bound;
  least = std::min(least, bound);
}

/// Brings a query to the order that the products take it in.
void AttentionTile::arrange(float *query) const {
  if (!direct)
    return simd().f32.arrange(query, paddedWidth(shape.width()));
  shape.nope.kernels->arrange(query, shape.nope.width);
  if (shape.pe.width > 0)
    shape.pe.kernels->arrange(query + shape.nope.width, shape.pe.width);
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

/// The logits of the rows from `from` on, a multiple of a line. Asks for the
/// first `more` keys that come next.
void AttentionTile::addLogits(int64_t from, int64_t count, int64_t more) {
  if (!few)
    return simd().multiply(count, rows - from, shape.width(), keys, keyStride,
                           queries + from, logitStride, logits + from,
                           logitStride, /*accumulate=*/false);
  if (!direct)
    return simd().f32.dots(rows, count, paddedWidth(shape.width()), queries,
                           keyStride, nopeRows, nullptr, /*ahead=*/0, logits,
                           logitStride, /*accumulate=*/false);
  shape.nope.kernels->dots(rows, count, shape.nope.width, queries, keyStride,
                           nopeRows, nopeRows + count, more, logits,
                           logitStride, /*accumulate=*/false);
  if (shape.pe.width > 0)
    shape.pe.kernels->dots(rows, count, shape.pe.width,
                           queries + shape.nope.width, keyStride, peRows,
                           peRows + count, more, logits, logitStride,
                           /*accumulate=*/true);
}

void AttentionTile::addBlock(int64_t first, int64_t count, int64_t more) {
  if (count == 0)
    return;
  bool hidden = hidesKeys(first, count);
  // Below a causal bound's diagonal the first rows see nothing.
  int64_t from = 0;
  if (hidden && !few) {
    while (from < rows && visible[from] == 0)
      ++from;
    from = from / 16 * 16;
  }
  // With a few rows the logits leave time for half of the next keys.
  int64_t early = rows > fewerRows ? more / 2 : 0;
  addLogits(from, count, early);
  if (simd().softmax(paddedWidth(rows) - from, count, logits + from,
                     logitStride, hidden ? visible + from : nullptr,
                     peak + from, total + from, factor + from))
    for (int64_t i = from; i < rows; ++i)
      if (factor[i] != 1)
        simd().scale(sums + i * sumStride, shape.value.width, factor[i]);
  if (!hidden ||
      (!few && simd().finite(count, shape.value.width, values, valueStride)))
    return addValues(from, rows - from, count, early, more);
  // Rows that see as many keys as their neighbours go together.
  for (int64_t i = from, next; i < rows; i = next) {
    for (next = i + 1; next < rows && visible[next] == visible[i];)
      ++next;
    addValues(i, next - i, visible[i], /*early=*/0, /*more=*/0);
  }
}

/// Adds `count` values to `number` rows. Asks for the keys [early, more) of
/// those that come next.
void AttentionTile::addValues(int64_t from, int64_t number, int64_t count,
                              int64_t early, int64_t more) {
  float *weights = logits + from, *to = sums + from * sumStride;
  if (!few)
    return simd().multiplyTransposed(number, shape.value.width, count, weights,
                                     logitStride, values, valueStride, to,
                                     sumStride, /*accumulate=*/true);
  const RowKernels &kernels = direct ? *shape.value.kernels : simd().f32;
  kernels.multiply(number, paddedWidth(shape.value.width), count, weights,
                   logitStride, valueRows, valueRows + count + early,
                   more - early, to, sumStride);
}

float *AttentionTile::finish(int64_t row) {
  float *sum = sums + row * sumStride;
  // Nothing was added to the sum either where the total is 0.
  if (total[row] != 0)
    simd().scale(sum, shape.value.width, 1.0f / total[row]);
  return sum;
}

float AttentionTile::lse(int64_t row) const {
  if (total[row] == 0)
    return negativeInfinity;
  return peak[row] + std::log(total[row]);
}
