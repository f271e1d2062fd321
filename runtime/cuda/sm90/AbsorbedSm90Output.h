//===- AbsorbedSm90Output.h - The end of an item --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// O and the sums of weights become the output and its lse, or a part's state in
// a slot, which AbsorbedCombine.cu merges with the others'.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H

#include "sm90/AbsorbedSm90Attend.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// Of four lanes side by side, lane j gets the values `j` of all four, in their
/// order.
__device__ inline void transposeFour(uint32_t (&x)[4], int lane) {
  bool upper = lane & 2, odd = lane & 1;
  uint32_t a = __shfl_xor_sync(~0u, upper ? x[0] : x[2], 2);
  uint32_t b = __shfl_xor_sync(~0u, upper ? x[1] : x[3], 2);
  x[0] = upper ? a : x[0], x[1] = upper ? b : x[1];
  x[2] = upper ? x[2] : a, x[3] = upper ? x[3] : b;
  a = __shfl_xor_sync(~0u, odd ? x[0] : x[1], 1);
  b = __shfl_xor_sync(~0u, odd ? x[2] : x[3], 1);
  x[0] = odd ? a : x[0], x[1] = odd ? x[1] : a;
  x[2] = odd ? b : x[2], x[3] = odd ? x[3] : b;
}

/// Waits until `*ready` is 1, and makes it 0 again.
__device__ inline void takeReady(int32_t *ready) {
  int32_t value;
  do
    asm volatile("ld.acquire.gpu.global.b32 %0, [%1];"
                 : "=r"(value)
                 : "l"(ready)
                 : "memory");
  while (value == 0);
  *ready = 0;
}
/// Makes it 1, for a CTA that is to see what this one wrote.
__device__ inline void setReady(int32_t *ready) {
  asm volatile("st.release.gpu.global.b32 [%0], %1;"
               :
               : "l"(ready), "r"(1)
               : "memory");
}

template <typename T, int BoxesEach, bool HasPe>
__device__ void Attend<T, BoxesEach, HasPe>::finish(const Item &item, int place,
                                                    int first, int last) {
  Rows &rows = control.rows[place];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8;
    sum[i] += __shfl_xor_sync(~0u, sum[i], 1);
    sum[i] += __shfl_xor_sync(~0u, sum[i], 2);
    if (lane() % 4 == 0) {
      rows.sum[side][row] = sum[i];
      if (first == last)
        rows.top[row] = minusInfinity();
      else if (((last - 1) & 1) == side)
        rows.top[row] = control.reference[side][row];
    }
  }
  bool isFirst = side == 0 && thread == 0;
  if (item.other >= 0 && isFirst)
    takeReady(p.ready + blockIdx.x);
  syncThreads(BothGroupsBarrier, 2 * groupThreads);
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8;
    float total = rows.sum[0][row] + rows.sum[1][row];
    // Where nothing was seen O may hold anything.
    float factor = total != 0 ? 1 / total : 0;
#pragma unroll
    for (int j = 2 * i; j < numSums; j += 4) {
      o[j] = total != 0 ? o[j] * factor : 0;
      o[j + 1] = total != 0 ? o[j + 1] * factor : 0;
    }
    finishRow(item, i, row, rows.token[row], rows.head[row],
              total != 0 ? rows.top[row] + log2f(total) : minusInfinity());
  }
  if (item.told >= 0) {
    __threadfence();
    syncThreads(BothGroupsBarrier, 2 * groupThreads);
    if (isFirst)
      setReady(p.ready + item.told);
  }
}

/// Of the thread's row `i`, which is token `t`'s head `h`; t < 0: nobody's.
template <typename T, int BoxesEach, bool HasPe>
__device__ void Attend<T, BoxesEach, HasPe>::finishRow(const Item &item, int i,
                                                       int row, int t, int h,
                                                       float lse) {
  bool tellsLse = t >= 0 && side == 0 && lane() % 4 == 0;
  if (item.slot >= 0) {
    float *state = p.slots + item.slot * slotFloats;
    storePart(t < 0 ? nullptr : state + row * maxSlotColumns, i);
    if (tellsLse)
      state[maxTileRows * maxSlotColumns + row] = lse;
    return;
  }
  if (item.other >= 0 && t >= 0)
    lse = merge(p.slots + item.other * slotFloats, i, row, lse);
  float factor = 1;
  if (t >= 0)
    lse = call.addSink(h, lse, factor);
  store(t < 0 ? nullptr : p.o.at(t, h), i, factor);
  if (tellsLse)
    call.storeLse(t, h, lse);
}

/// Merges the thread's row `i` with the state of another part; their lse.
template <typename T, int BoxesEach, bool HasPe>
__device__ float Attend<T, BoxesEach, HasPe>::merge(const float *state, int i,
                                                    int row, float lse) {
  float other = __ldcg(state + maxTileRows * maxSlotColumns + row);
  float top = fmaxf(lse, other);
  float shift = top == minusInfinity() ? 0 : top;
  float own = exp2f(lse - shift), others = exp2f(other - shift);
  float total = own + others, factor = total != 0 ? 1 / total : 0;
  own *= factor, others *= factor;
  const float *from = state + row * maxSlotColumns +
                      side * BoxesEach * boxColumns + lane() % 4 * 2;
#pragma unroll
  for (int j = 0; j < numSums; j += 4) {
    float2 values = __ldcg(reinterpret_cast<const float2 *>(from + j * 2));
    o[j + 2 * i] = o[j + 2 * i] * own + values.x * others;
    o[j + 2 * i + 1] = o[j + 2 * i + 1] * own + values.y * others;
  }
  return total != 0 ? top + log2f(total) : minusInfinity();
}

/// Writes the thread's row `i` times `factor`, 16 bytes at a time; none to
/// nowhere.
template <typename T, int BoxesEach, bool HasPe>
__device__ void Attend<T, BoxesEach, HasPe>::store(char *row, int i,
                                                   float factor) {
  char *to = row + (side * BoxesEach * boxColumns + lane() % 4 * 8) * 2;
#pragma unroll
  for (int j = 0; j < numSums; j += 16) {
    uint32_t words[4];
#pragma unroll
    for (int k = 0; k < 4; ++k)
      words[k] = packPair<T>(o[j + 4 * k + 2 * i] * factor,
                             o[j + 4 * k + 2 * i + 1] * factor);
    transposeFour(words, lane());
    if (row)
      *reinterpret_cast<uint4 *>(to + j * 4) =
          make_uint4(words[0], words[1], words[2], words[3]);
  }
}

/// The same in f32, as it is. Even lanes get four columns of the first of two
/// eights from their neighbours, odd ones of the second.
template <typename T, int BoxesEach, bool HasPe>
__device__ void Attend<T, BoxesEach, HasPe>::storePart(float *row, int i) {
  bool odd = lane() & 1;
  float *to =
      row + side * BoxesEach * boxColumns + lane() % 4 / 2 * 4 + odd * 8;
#pragma unroll
  for (int j = 0; j < numSums; j += 8) {
    const float *first = o + j + 2 * i, *second = first + 4;
    float a = __shfl_xor_sync(~0u, odd ? first[0] : second[0], 1);
    float b = __shfl_xor_sync(~0u, odd ? first[1] : second[1], 1);
    if (row)
      *reinterpret_cast<float4 *>(to + j * 2) =
          odd ? make_float4(a, b, second[0], second[1])
              : make_float4(first[0], first[1], a, b);
  }
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H
