//===- NonFinite.h - Values that a weight of 0 wouldn't remove ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A tensor core multiplies every row of weights with every value of a tile. A
// row that doesn't see a key has the weight 0 for it; 0 times an infinity or a
// NaN is a NaN, which that row isn't to get (docs/numerics.md). So, in the
// tiles whose keys only some rows see, such values are replaced by 0 in shared
// memory, and the first key of each column that had one is kept. A row sees the
// keys below a bound: at the end it is known by that alone whether it has seen
// an infinity or a NaN, which nothing finite would have changed.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_NONFINITE_H
#define MLA_RUNTIME_CUDA_NONFINITE_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <climits>
#include <cstdint>

namespace mla {
namespace cuda {

/// Exponent of a 16-bit type: all ones in an infinity or a NaN.
template <typename T> constexpr uint32_t exponentMask = 0;
template <> constexpr uint32_t exponentMask<__half> = 0x7c00;
template <> constexpr uint32_t exponentMask<__nv_bfloat16> = 0x7f80;

/// Which keys had values that were replaced, in shared memory: the first one of
/// each column, INT_MAX for none.
template <int Columns> struct NonFinite {
  int above[Columns]; ///< With +infinity, or a NaN.
  int below[Columns]; ///< With -infinity, or a NaN.
  int any;

  /// With all threads of the block, before a barrier.
  __device__ void clear() {
    for (int i = threadIdx.x; i < Columns; i += blockDim.x)
      above[i] = below[i] = INT_MAX;
    if (threadIdx.x == 0)
      any = 0;
  }

  /// Replaces what isn't finite among the 8 values at `values`, 16 aligned
  /// bytes: the columns from `column` on of key `key`.
  template <typename T>
  __device__ void replace(void *values, int key, int column) {
    constexpr uint32_t mask = exponentMask<T>;
    uint4 block = *static_cast<uint4 *>(values);
    uint32_t *words = &block.x;
    bool found = false;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      found |= (words[i] & mask) == mask || (words[i] >> 16 & mask) == mask;
    if (!found)
      return;
    auto *halves = static_cast<uint16_t *>(values);
    for (int i = 0; i < 8; ++i) {
      uint32_t bits = halves[i];
      if ((bits & mask) != mask)
        continue;
      bool isNan = (bits & 0x7fff) != mask, isNegative = bits >> 15;
      if (isNan || !isNegative)
        atomicMin(&above[column + i], key);
      if (isNan || isNegative)
        atomicMin(&below[column + i], key);
      halves[i] = 0;
    }
    any = 1;
  }

  /// What a row that sees the keys below `bound` is to have added to its sum in
  /// column `column`: 0, an infinity, or a NaN.
  __device__ float seen(int column, int bound) const {
    const float infinity = __int_as_float(0x7f800000);
    float result = above[column] < bound ? infinity : 0.0f;
    if (below[column] < bound)
      result -= infinity;
    return result;
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_NONFINITE_H
