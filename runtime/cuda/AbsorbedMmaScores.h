//===- AbsorbedMmaScores.h - S = Q K^T ------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp has 32 rows, 32 keys and half of the depth. Products with the latent
// and with the pe part differ by a factor where each has a scale of its own;
// with scales of blocks, every block of columns has one for each key.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMASCORES_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMASCORES_H

#include "AbsorbedMma.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::multiplyKeys(Scores &s,
                                                             uint32_t stage) {
  int steps = p.latentWidth / stepColumns, peSteps = p.peWidth / stepColumns;
  // Pairs of steps; with block scales whole blocks.
  int half = (steps + peSteps + 1) / 2;
  half += half % 2;
  if (HasScales)
    half = (p.scales.width() + 1) / 2 * (scaleBlock / stepColumns);
  half = min(half, steps);
  if (rowHalf * 32 >= rowsHere)
    return;
  int begin = depthHalf ? half : 0, end = depthHalf ? steps : half;
  // The pe part evens the halves out; with whole blocks in each it is halved
  // too, if its halves are pairs of steps.
  int peBegin = depthHalf ? 0 : peSteps, peEnd = peSteps;
  if (HasScales && peSteps == 4)
    peBegin = depthHalf ? 2 : 0, peEnd = depthHalf ? 4 : 2;
  // The pe part comes first, and is brought to the latent's units. With block
  // scales it comes last, when those are in the sums.
  if constexpr (HasScales)
    multiplyScaled(s, stage, begin, end);
  if (peBegin < peEnd)
    multiplyPe(s, stage + Shared::stagePe, peBegin, peEnd);
  if constexpr (!HasScales)
    multiplySteps<T, IsFp8, Shared::queryPitch, Shared::latentPitch>(
        s, base + Shared::query, stage, begin, end);
}

/// What a step's products take: of the query's rows; of the keys, as they lie
/// in shared memory and as they are multiplied.
template <bool KeysAreFp8> struct Fragments {
  uint32_t a[2][4];
  uint32_t b[KeysAreFp8 ? 1 : 2][4];
  uint32_t wide[KeysAreFp8 ? 4 : 1][2];

  /// Of fp8 a lane has four columns of a key: the first two are taken for the
  /// step's lower half, the others for the upper; the query's are in that
  /// order too.
  __device__ void widen() {
    if constexpr (KeysAreFp8)
#pragma unroll
      for (int n = 0; n < 4; ++n)
        widenFp8(b[0][n], wide[n][0], wide[n][1]);
  }
};

template <typename T, Keys KeysAre>
template <typename U, bool KeysAreFp8, int QueryPitch, int KeyPitch>
__device__ inline void
AbsorbedMma<T, KeysAre>::multiplySteps(Scores &s, uint32_t query, uint32_t keys,
                                       int begin, int end) {
  int row = rowHalf * 32 + lane % 16;
  uint32_t rowAddress = query + row * QueryPitch + swizzled(row, lane / 16);
  int key = keyHalf * 32 + (KeysAreFp8 ? lane : lane % 8 + lane / 16 * 8);
  uint32_t keyAddress =
      keys + key * KeyPitch + swizzled(key, KeysAreFp8 ? 0 : lane / 8 % 2);
  auto load = [&](Fragments<KeysAreFp8> &to, int step) {
    uint32_t at = keyAddress ^ (step * (KeysAreFp8 ? 16 : 32));
    loadMatrices(to.b[0], at);
    if constexpr (!KeysAreFp8)
      loadMatrices(to.b[1], at + 16 * KeyPitch);
    at = rowAddress ^ (step * 32);
    loadMatrices(to.a[0], at);
    loadMatrices(to.a[1], at + 16 * QueryPitch);
  };
  auto multiply = [&](const Fragments<KeysAreFp8> &from) {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      uint32_t low, high;
      if constexpr (KeysAreFp8) {
        low = from.wide[n][0], high = from.wide[n][1];
      } else {
        low = from.b[n / 2][n % 2 * 2];
        high = from.b[n / 2][n % 2 * 2 + 1];
      }
      multiplyAdd<U>(s[0][n], from.a[0], low, high);
      multiplyAdd<U>(s[1][n], from.a[1], low, high);
    }
  };
  if (begin >= end)
    return;
  Fragments<KeysAreFp8> even, odd;
  load(even, begin);
  even.widen();
  int step = begin;
  for (; step + 2 < end; step += 2) {
    load(odd, step + 1);
    multiply(even);
    odd.widen();
    copySome(2);
    load(even, step + 2);
    multiply(odd);
    even.widen();
  }
  load(odd, step + 1);
  multiply(even);
  odd.widen();
  multiply(odd);
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::multiplyPe(Scores &s,
                                                           uint32_t keys,
                                                           int begin, int end) {
  uint32_t query = base + Shared::queryPe;
  const int pitch = Shared::pePitch;
  if constexpr (!IsFp8) {
    multiplySteps<T, false, pitch, pitch>(s, query, keys, begin, end);
  } else {
    if (p.pe.dtype == MLA_DTYPE_F8E4M3FN)
      multiplySteps<__half, true, pitch, pitch>(s, query, keys, begin, end);
    else if (p.pe.dtype == MLA_DTYPE_F16)
      multiplySteps<__half, false, pitch, pitch>(s, query, keys, begin, end);
    else
      multiplySteps<__nv_bfloat16, false, pitch, pitch>(s, query, keys, begin,
                                                        end);
    if constexpr (!HasScales)
      toLatentUnits(s);
  }
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::toLatentUnits(Scores &s) {
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float factor = rows.peFactor[rowHalf * 32 + m * 16 + lane / 4 + i * 8];
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        s[m][n][2 * i] *= factor;
        s[m][n][2 * i + 1] *= factor;
      }
    }
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::multiplyScaled(Scores &s, uint32_t stage, int begin,
                                        int end) {
  const int each = scaleBlock / stepColumns;
  float unit[4][2];
  for (int step = begin; step < end; step += each) {
    const float *scales =
        scalesOf(stage, step / each) + keyHalf * 32 + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float next = scales[n * 8 + i];
        if (step > begin)
          multiplyKey(s, n, i, unit[n][i] * reciprocal(next));
        unit[n][i] = next;
      }
    multiplySteps<T, true, Shared::queryPitch, Shared::latentPitch>(
        s, base + Shared::query, stage, step, step + each);
  }
  if (begin < end)
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i)
        multiplyKey(s, n, i, unit[n][i]);
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::multiplyKey(Scores &s, int n, int i, float factor) {
  s[0][n][i] *= factor, s[0][n][i + 2] *= factor;
  s[1][n][i] *= factor, s[1][n][i + 2] *= factor;
}

template <typename T, Keys KeysAre>
__device__ inline const float *
AbsorbedMma<T, KeysAre>::scalesOf(uint32_t stage, int block) const {
  return reinterpret_cast<const float *>(shared + (stage - base) +
                                         Shared::stageScales) +
         block * blockKeys;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::addDepthHalves(Scores &s,
                                                               uint32_t stage) {
  auto area = [&](int warp) {
    uint32_t from = warp < 4 ? base + Shared::weights : stage + Shared::stagePe;
    return reinterpret_cast<float4 *>(shared + (from - base) +
                                      warp % 4 * 2048) +
           lane;
  };
  float4 *to = area(warp);
  const float4 *from = area(warp ^ 4);
#pragma unroll
  for (int n = 0; n < 4; ++n) {
    // Chosen by value: registers have no addresses.
    float4 sent;
    sent.x = depthHalf ? s[0][n][0] : s[1][n][0];
    sent.y = depthHalf ? s[0][n][1] : s[1][n][1];
    sent.z = depthHalf ? s[0][n][2] : s[1][n][2];
    sent.w = depthHalf ? s[0][n][3] : s[1][n][3];
    to[n * 32] = sent;
  }
  syncThreads(1 + warp % 4, 64);
#pragma unroll
  for (int n = 0; n < 4; ++n) {
    float4 other = from[n * 32];
    s[0][n][0] = (depthHalf ? s[1][n][0] : s[0][n][0]) + other.x;
    s[0][n][1] = (depthHalf ? s[1][n][1] : s[0][n][1]) + other.y;
    s[0][n][2] = (depthHalf ? s[1][n][2] : s[0][n][2]) + other.z;
    s[0][n][3] = (depthHalf ? s[1][n][3] : s[0][n][3]) + other.w;
  }
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMASCORES_H
