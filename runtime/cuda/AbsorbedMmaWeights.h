//===- AbsorbedMmaWeights.h - Weights of the keys -------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// P = exp2(S - maximum) of the warp's 16 rows and 32 keys, where S are logits,
// and what is to be done about the keys that a row doesn't see.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMAWEIGHTS_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMAWEIGHTS_H

#include "AbsorbedMma.h"
#include "Quads.h"

#include <type_traits>

namespace mla {
namespace cuda {
namespace absorbed_mma {

/// How far a row's logits may exceed the maximum that they are taken relative
/// to before that follows them: log2 of the largest weight.
constexpr float growth = 8;

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::toLogits(Logits &s, int row,
                                                         int block, int index) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    float factor = rows.factor[row + i * 8];
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      s[n][2 * i] *= factor;
      s[n][2 * i + 1] *= factor;
    }
  }
  if (p.hasIndices || (block + 1) * blockKeys > leastSeen)
    hideUnseen(s, row, block, index);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    float most = fmaxf(s[0][2 * i], s[0][2 * i + 1]);
#pragma unroll
    for (int n = 1; n < 4; ++n)
      most = fmaxf(most, fmaxf(s[n][2 * i], s[n][2 * i + 1]));
    most = maxOfFour(most);
    if (lane % 4 == 0)
      rows.maximum[keyHalf][row + i * 8] = most;
  }
  __syncthreads();
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::hideUnseen(Logits &s, int row, int block, int index) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int bound = rows.bound[row + i * 8] - block * blockKeys;
#pragma unroll
    for (int n = 0; n < 4; ++n)
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        int key = keyHalf * 32 + n * 8 + lane % 4 * 2 + j;
        bool seen = p.hasIndices ? rows.keySeen[index][key] : key < bound;
        if (!seen)
          s[n][2 * i + j] = minusInfinity();
      }
  }
}

template <typename T, Keys KeysAre>
__device__ inline bool AbsorbedMma<T, KeysAre>::toWeights(Logits &s, int row) {
  bool changed = false;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int own = row + i * 8;
    float most = fmaxf(rows.maximum[0][own], rows.maximum[1][own]);
    float next = most > maximum[i] + growth ? most : maximum[i];
    float top = next == minusInfinity() ? 0 : next;
    float rescale = exp2Approximate(maximum[i] - top);
    changed |= rescale != 1;
    float added = 0;
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      float low = exp2Approximate(s[n][2 * i] - top);
      float high = exp2Approximate(s[n][2 * i + 1] - top);
      added += low + high;
      *reinterpret_cast<uint32_t *>(shared + Shared::weights +
                                    own * (blockKeys * 2) +
                                    swizzled(own, keyHalf * 4 + n) +
                                    lane % 4 * 4) = packPair<T>(low, high);
    }
    sum[i] = sum[i] * rescale + added;
    maximum[i] = next;
    if (keyHalf == 0 && lane % 4 == 0)
      rows.rescale[own] = rescale;
  }
  return changed;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::dropNonFinite(int block,
                                                              uint32_t stage) {
  int first = max(leastSeen - block * blockKeys, 0);
  const int units = Shared::latentPitch / 16;
  for (int i = thread + first * units; i < blockKeys * units; i += numThreads) {
    uint4 *unit = reinterpret_cast<uint4 *>(shared + (stage - base)) + i;
    uint4 value = *unit;
    value.x = finiteParts(value.x), value.y = finiteParts(value.y);
    value.z = finiteParts(value.z), value.w = finiteParts(value.w);
    *unit = value;
  }
  if constexpr (HasScales) {
    auto *scales = reinterpret_cast<float *>(shared + (stage - base) +
                                             Shared::stageScales);
    for (int i = thread; i < maxScales * blockKeys; i += numThreads)
      if (i % blockKeys >= first && !isfinite(scales[i]))
        scales[i] = 1;
  }
}

template <typename T, Keys KeysAre>
__device__ inline uint32_t AbsorbedMma<T, KeysAre>::finiteParts(uint32_t word) {
  if constexpr (IsFp8) {
    uint32_t nan = __vcmpeq4(word & 0x7f7f7f7fu, 0x7f7f7f7fu);
    return word & ~nan;
  } else {
    const uint32_t exponents =
        std::is_same<T, __half>::value ? 0x7c007c00u : 0x7f807f80u;
    return word & ~__vcmpeq2(word & exponents, exponents);
  }
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMAWEIGHTS_H
