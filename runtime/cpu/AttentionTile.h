//===- AttentionTile.h - Attention of some queries, block by block --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_ATTENTIONTILE_H
#define MLA_RUNTIME_CPU_ATTENTIONTILE_H

#include "simd/Dispatch.h"

#include <algorithm>
#include <cstdint>

namespace mla {
namespace cpu {

/// Softmax-weighted sums over values for a tile of queries, taken a block of
/// keys at a time (online softmax, Milakov and Gimelshein, arXiv:1805.02867):
/// each row keeps its largest logit, the sum of exponentials below it and the
/// weighted sum of values.
///
/// All arithmetic is f32. The logits are kept as [keys, rows], with the rows
/// side by side in the softmax's vectors. Very few rows: a logit is a scalar
/// product, and keys and values are widened in registers where they lie, if
/// their type allows. Few: the same after a block of keys has been brought to
/// f32. Many rows: the queries are transposed once, and the block in f32 gives
/// the scalars of logits = keys * queries^T and the rows of o += weights *
/// values; no block is ever transposed.
///
/// Rows don't touch each other, and a key outside a row's bound doesn't touch
/// the row: it gets the weight 0, and where a value of it is infinite or a NaN,
/// which 0 times wouldn't remove, it isn't multiplied at all.
class AttentionTile {
public:
  static constexpr int64_t blockKeys = 64; ///< At most, of a block.
  /// Keys that are given beyond it, to be asked for: all of the next block
  /// while there is time enough, the first of them with up to fewerRows rows.
  int64_t ahead() const { return rows > fewerRows ? blockKeys : 16; }

  /// Columns of the keys, or the values. Kernels: null where rows have to be
  /// converted.
  struct Part {
    int64_t width = 0;
    const RowKernels *kernels = nullptr;
  };

  struct Shape {
    int64_t rows; ///< At most, of a tile.
    Part nope, pe;
    Part value;
    /// False: a value is the nope part of its key.
    bool valuesApart;

    int64_t width() const { return nope.width + pe.width; }
  };

  /// Floats.
  static int64_t scratchSize(const Shape &shape);
  /// `block` holds scratchSize(shape) floats, on a line's boundary.
  AttentionTile(float *block, const Shape &shape);

  /// Starts over with `count` rows without a key. load(row, out) writes row's
  /// query, times the softmax's scale.
  template <typename Load> void start(int64_t count, const Load &load) {
    begin(count);
    if (few) {
      for (int64_t i = 0; i < rows; ++i) {
        load(i, queries + i * keyStride);
        arrange(queries + i * keyStride);
      }
      return;
    }
    // The keys' block isn't in use yet.
    for (int64_t i = 0; i < rows; i += blockKeys) {
      int64_t number = std::min(blockKeys, rows - i);
      for (int64_t j = 0; j < number; ++j)
        load(i + j, keys + j * keyStride);
      simd().transpose(number, shape.width(), keys, keyStride, queries + i,
                       logitStride);
    }
  }

  /// A sink of `row`: a key with this logit and no value, the state (o = 0,
  /// lse = sink). -infinity: none.
  void setSink(int64_t row, float sink);
  /// `row` sees the keys at positions below `bound`.
  void setBound(int64_t row, int64_t bound);

  /// Whether a block is given by addresses, with setKey(), or else is written
  /// to key() and, where values are apart, to value().
  bool takesAddresses() const { return direct; }
  void setKey(int64_t k, const void *nope, const void *pe, const void *value) {
    nopeRows[k] = nope;
    peRows[k] = pe;
    valueRows[k] = value;
  }
  float *key(int64_t k) { return keys + k * keyStride; }
  float *value(int64_t k) { return values + k * valueStride; }

  /// Adds the `count` keys that were given, which are at the positions from
  /// `first` on. The addresses of `more` keys are those that come next.
  void addBlock(int64_t first, int64_t count, int64_t more);

  /// Divides the row's sum in place and returns it; 0 where no key was added.
  float *finish(int64_t row);
  /// Natural logarithm of the sum of exp(logits); -infinity for no key.
  float lse(int64_t row) const;

private:
  void begin(int64_t count);
  void clearPadding();
  void arrange(float *query) const;
  bool hidesKeys(int64_t first, int64_t count);
  void addLogits(int64_t from, int64_t count, int64_t more);
  void addValues(int64_t from, int64_t number, int64_t count, int64_t early,
                 int64_t more);

  static constexpr int64_t fewerRows = 4;

  Shape shape;
  int64_t rows = 0;
  bool few = false, direct = false;
  int64_t least = 0; ///< Bound.
  int64_t keyStride, valueStride, logitStride, sumStride;
  float *queries, *keys, *values, *logits, *sums, *peak, *total, *factor;
  int32_t *visible;
  int64_t *bounds;
  const void *nopeRows[2 * blockKeys], *peRows[2 * blockKeys],
      *valueRows[2 * blockKeys];
};

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_ATTENTIONTILE_H
