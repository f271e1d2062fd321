//===- ExpandedMmaProducts.h - Logits, weights and sums in registers ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp owns whole rows: the logits that its products with the keys leave in
// registers are, packed, the weights that the products with the values take
// (FlashAttention-2, arXiv:2307.08691).
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_EXPANDEDMMAPRODUCTS_H
#define MLA_RUNTIME_CUDA_EXPANDEDMMAPRODUCTS_H

#include "ExpandedMmaTiles.h"

#include <cmath>

namespace mla {
namespace cuda {
namespace expanded_mma {

constexpr float negativeInfinity = -INFINITY;

/// The state of a warp's rows: of each row block, rows lane / 4 and + 8.
template <int RowBlocks, int ValueWidth> struct RowStates {
  float sums[RowBlocks][ValueWidth / 8][4];
  float top[RowBlocks][2];   ///< Largest logit, in base 2.
  float total[RowBlocks][2]; ///< This lane's part.
};

/// Logits of a warp's rows with the keys of the tile.
template <typename T, int KeyWidth, int RowBlocks>
__device__ void multiplyKeys(const T *query, const T *keys, int firstRow,
                             float (&logits)[RowBlocks][tileKeys / 8][4]) {
  int lane = threadIdx.x % 32;
  uint32_t queryAt = sharedAddress(query) +
                     (firstRow + lane % 16) * KeyWidth * 2 +
                     (lane / 16 ^ lane % 8) * 16;
  uint32_t keyAt = sharedAddress(keys) +
                   (lane / 16 * 8 + lane % 8) * KeyWidth * 2 +
                   (lane / 8 % 2 ^ lane % 8) * 16;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        logits[i][n][e] = 0;
#pragma unroll
  for (int k = 0; k < KeyWidth / 16; ++k) {
    const uint32_t flip = 2 * k % 8 * 16, offset = 2 * k / 8 * 128;
    uint32_t a[RowBlocks][4];
#pragma unroll
    for (int i = 0; i < RowBlocks; ++i)
      loadMatrices(a[i], (queryAt ^ flip) + offset + i * 16 * KeyWidth * 2);
#pragma unroll
    for (int n = 0; n < tileKeys / 16; ++n) {
      uint32_t b[4];
      loadMatrices(b, (keyAt ^ flip) + offset + n * 16 * KeyWidth * 2);
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i) {
        multiplyAdd<T>(logits[i][2 * n], a[i], b[0], b[1]);
        multiplyAdd<T>(logits[i][2 * n + 1], a[i], b[2], b[3]);
      }
    }
  }
}

/// Turns logits into weights, and brings the state to the new largest logits.
template <int RowBlocks, int ValueWidth>
__device__ void softmax(float scale,
                        float (&logits)[RowBlocks][tileKeys / 8][4],
                        RowStates<RowBlocks, ValueWidth> &state) {
  float factors[RowBlocks][2];
  bool changed = false;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = negativeInfinity;
#pragma unroll
      for (int n = 0; n < tileKeys / 8; ++n)
        top = fmaxf(top,
                    fmaxf(logits[i][n][2 * half], logits[i][n][2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
      float old = state.top[i][half];
      top = fmaxf(old, top * scale);
      // Nothing seen yet: -infinity less itself would be a NaN.
      float base = top == negativeInfinity ? 0.0f : top;
      float factor = exp2Approximate(old - base), sum = 0;
#pragma unroll
      for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          logits[i][n][e] =
              exp2Approximate(fmaf(logits[i][n][e], scale, -base));
          sum += logits[i][n][e];
        }
      changed |= top != old;
      state.top[i][half] = top;
      state.total[i][half] = state.total[i][half] * factor + sum;
      factors[i][half] = factor;
    }
  if (!__any_sync(0xffffffffu, changed))
    return;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int n = 0; n < ValueWidth / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        state.sums[i][n][e] *= factors[i][e / 2];
}

/// Adds the values, by their weights.
template <typename T, int RowBlocks, int ValueWidth>
__device__ void
multiplyValues(const T *values,
               const float (&weights)[RowBlocks][tileKeys / 8][4],
               RowStates<RowBlocks, ValueWidth> &state) {
  int lane = threadIdx.x % 32;
  uint32_t valueAt = sharedAddress(values) + lane % 16 * ValueWidth * 2 +
                     (lane / 16 ^ lane % 8) * 16;
#pragma unroll
  for (int k = 0; k < tileKeys / 16; ++k) {
    uint32_t a[RowBlocks][4];
#pragma unroll
    for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float *pair = weights[i][2 * k + j / 2] + j % 2 * 2;
        a[i][j] = packPair<T>(pair[0], pair[1]);
      }
#pragma unroll
    for (int n = 0; n < ValueWidth / 16; ++n) {
      uint32_t b[4];
      loadMatricesTransposed(b, (valueAt ^ 2 * n % 8 * 16) + 2 * n / 8 * 128 +
                                    k * 16 * ValueWidth * 2);
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i) {
        multiplyAdd<T>(state.sums[i][2 * n], a[i], b[0], b[1]);
        multiplyAdd<T>(state.sums[i][2 * n + 1], a[i], b[2], b[3]);
      }
    }
  }
}

} // namespace expanded_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_EXPANDEDMMAPRODUCTS_H
