//===- AbsorbedMmaOutput.h - The end of a tile ----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// O and the sums of weights begin as zeros, and become the output and its lse,
// or a part's state in a slot, which AbsorbedCombine.cu merges with the
// others'.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMAOUTPUT_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMAOUTPUT_H

#include "AbsorbedMma.h"
#include "Quads.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::clear() {
#pragma unroll
  for (int m = 0; m < 4; ++m)
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        o[m][n][i] = 0;
  maximum[0] = maximum[1] = minusInfinity();
  sum[0] = sum[1] = 0;
  valueScale = 0;
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::finish(bool whole, int slot) {
  int own = ownRow();
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    sum[i] = sumOfFour(sum[i]);
    if (lane % 4 == 0) {
      rows.sum[keyHalf][own + i * 8] = sum[i];
      rows.rescale[own + i * 8] = maximum[i];
    }
  }
  __syncthreads();
  float unit = rows.latentScale;
  if (HasScales)
    unit = valueScale;
  int count = eighths(), first = warp * count * 8;
  float *state = p.slots + slot * slotFloats;
#pragma unroll
  for (int m = 0; m < 4; ++m)
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      int row = m * 16 + lane / 4 + i * 8;
      int t = rows.token[row], h = rows.head[row];
      if (t < 0)
        continue;
      float total = rows.sum[0][row] + rows.sum[1][row];
      float lse =
          total != 0 ? rows.rescale[row] + log2f(total) : minusInfinity();
      float factor = total != 0 ? unit / total : 0, sinkFactor = 1;
      if (whole)
        lse = call.addSink(h, lse, sinkFactor);
      factor *= sinkFactor;
      if (warp == 0 && lane % 4 == 0) {
        if (whole)
          call.storeLse(t, h, lse);
        else
          state[maxTileRows * maxSlotColumns + row] = lse;
      }
      float *to = state + row * maxSlotColumns;
      if constexpr (IsFp8) {
#pragma unroll
        for (int n = 0; n < 8; n += 2) {
          // Even columns of 16 are in one product, odd ones in the next.
          int column = first + n / 2 * 16 + lane % 4 * 4;
          if (n >= count || column >= p.latentWidth)
            continue;
          float4 values = {o[m][n][2 * i] * factor, o[m][n + 1][2 * i] * factor,
                           o[m][n][2 * i + 1] * factor,
                           o[m][n + 1][2 * i + 1] * factor};
          if (whole)
            call.storeFour(t, h, column, values);
          else
            *reinterpret_cast<float4 *>(to + column) = values;
        }
      } else {
#pragma unroll
        for (int n = 0; n < 8; ++n) {
          int column = first + n * 8 + lane % 4 * 2;
          if (n >= count || column >= p.latentWidth)
            continue;
          float2 values = {o[m][n][2 * i] * factor,
                           o[m][n][2 * i + 1] * factor};
          if (whole)
            call.storeTwo(t, h, column, values);
          else
            *reinterpret_cast<float2 *>(to + column) = values;
        }
      }
    }
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMAOUTPUT_H
