//===- AbsorbedMmaValues.h - O = O + P V ----------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp has all rows and an eighth of the columns of O. It reads the weights
// of all warps, and with block scales multiplies them by its columns' scales.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMAVALUES_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMAVALUES_H

#include "AbsorbedMma.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

__device__ inline uint32_t multiplyHalves(uint32_t a, uint32_t b) {
  __half2 product = __hmul2(*reinterpret_cast<__half2 *>(&a),
                            *reinterpret_cast<__half2 *>(&b));
  return *reinterpret_cast<uint32_t *>(&product);
}

template <typename T, Keys KeysAre>
__device__ inline int AbsorbedMma<T, KeysAre>::eighths() const {
  int each = (p.latentWidth + 63) / 64;
  // fp8 values come 32 columns at a time.
  return IsFp8 ? (each + 3) / 4 * 4 : each;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::scaleValues(uint32_t stage) {
  int first = warp * eighths() * 8;
  if (first >= p.latentWidth)
    return;
  const float *scales = scalesOf(stage, first / scaleBlock);
  float low = scales[2 * lane], high = scales[2 * lane + 1];
  float most = mostOfWarp(fmaxf(low, high));
  valueUnit = 1;
  if (most > valueScale) {
    valueUnit = valueScale / most;
    valueScale = most;
  }
  float inverse = valueScale != 0 ? reciprocal(valueScale) : 0;
  keyScales()[lane] = packPair<__half>(low * inverse, high * inverse);
  __syncwarp();
}

template <typename T, Keys KeysAre>
__device__ inline uint32_t *AbsorbedMma<T, KeysAre>::keyScales() const {
  return reinterpret_cast<uint32_t *>(shared + Shared::keyScales) + warp * 32;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::multiplyValues(uint32_t stage,
                                                               bool rescale) {
  int count = eighths(), first = warp * count * 8;
  if (first >= p.latentWidth)
    return;
  float unit = HasScales ? valueUnit : 1;
  if (rescale || unit != 1) {
#pragma unroll
    for (int m = 0; m < 4; ++m)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float factor = rows.rescale[m * 16 + lane / 4 + i * 8] * unit;
#pragma unroll
        for (int n = 0; n < 8; ++n) {
          o[m][n][2 * i] *= factor;
          o[m][n][2 * i + 1] *= factor;
        }
      }
  }
  // With constants the inner loops have no branches.
  if (rowsHere > 32 && count == 8)
    multiplyRows<4>(stage, 8, first);
  else if (rowsHere > 32)
    multiplyRows<4>(stage, count, first);
  else if (rowsHere > 16)
    multiplyRows<2>(stage, count, first);
  else
    multiplyRows<1>(stage, count, first);
}

template <typename T, Keys KeysAre>
template <int M>
__device__ __forceinline__ void
AbsorbedMma<T, KeysAre>::multiplyRows(uint32_t stage, int count, int first) {
  int row = lane % 16;
  uint32_t weights =
      base + Shared::weights + row * (blockKeys * 2) + swizzled(row, lane / 16);
#pragma unroll
  for (int step = 0; step < blockKeys / stepColumns; ++step) {
    uint32_t a[M][4];
#pragma unroll
    for (int m = 0; m < M; ++m)
      loadMatrices(a[m], (weights ^ (step * 32)) + m * 16 * (blockKeys * 2));
    if constexpr (HasScales) {
      uint32_t low = keyScales()[step * 8 + lane % 4];
      uint32_t high = keyScales()[step * 8 + 4 + lane % 4];
#pragma unroll
      for (int m = 0; m < M; ++m) {
        a[m][0] = multiplyHalves(a[m][0], low);
        a[m][1] = multiplyHalves(a[m][1], low);
        a[m][2] = multiplyHalves(a[m][2], high);
        a[m][3] = multiplyHalves(a[m][3], high);
      }
    }
    if constexpr (IsFp8)
      multiplyFp8Values<M>(stage, step, count, first, a);
    else
      multiplyOwnValues<M>(stage, step, count, first, a);
  }
}

template <typename T, Keys KeysAre>
template <int M>
__device__ __forceinline__ void AbsorbedMma<T, KeysAre>::multiplyOwnValues(
    uint32_t stage, int step, int count, int first, const uint32_t (&a)[M][4]) {
  int key = lane % 16;
  uint32_t keys = stage + key * Shared::latentPitch;
#pragma unroll
  for (int n = 0; n < 8; n += 2) {
    if (n >= count)
      break;
    uint32_t b[4];
    loadMatricesTransposed(b, keys + swizzled(key, first / 8 + n + lane / 16) +
                                  step * stepColumns * Shared::latentPitch);
    multiplyColumn<M>(n, a, b[0], b[1]);
    if (n + 1 < count)
      multiplyColumn<M>(n + 1, a, b[2], b[3]);
  }
}

template <typename T, Keys KeysAre>
template <int M>
__device__ __forceinline__ void AbsorbedMma<T, KeysAre>::multiplyFp8Values(
    uint32_t stage, int step, int count, int first, const uint32_t (&a)[M][4]) {
  int key = lane % 16;
  uint32_t keys = stage + key * Shared::latentPitch;
#pragma unroll
  for (int n = 0; n < 8; n += 4) {
    if (n >= count)
      break;
    uint32_t bytes[4], b[4][2];
    loadMatricesTransposed(
        bytes, keys + swizzled(key, (first + n * 8) / 16 + lane / 16) +
                   step * stepColumns * Shared::latentPitch);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      // Keys 0 to 7 or 8 to 15, and one or the other 16 columns.
      uint32_t even, odd;
      widenFp8(__byte_perm(bytes[i], 0, 0x3120), even, odd);
      b[i / 2 * 2][i % 2] = even;
      b[i / 2 * 2 + 1][i % 2] = odd;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
      multiplyColumn<M>(n + i, a, b[i][0], b[i][1]);
  }
}

template <typename T, Keys KeysAre>
template <int M>
__device__ inline void
AbsorbedMma<T, KeysAre>::multiplyColumn(int n, const uint32_t (&a)[M][4],
                                        uint32_t b0, uint32_t b1) {
#pragma unroll
  for (int m = 0; m < M; ++m)
    multiplyAdd<T>(o[m][n], a[m], b0, b1);
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMAVALUES_H
