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

#include "Launch.h"
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

/// Writes 16 bytes, if so: without a branch, behind which the instructions
/// would have to be waited for.
__device__ inline void storeIf(bool condition, void *to,
                               const uint32_t (&words)[4]) {
  asm volatile("{\n"
               ".reg .pred condition;\n"
               "setp.ne.u32 condition, %5, 0;\n"
               "@condition st.global.v4.b32 [%0], {%1, %2, %3, %4};\n"
               "}"
               :
               : "l"(to), "r"(words[0]), "r"(words[1]), "r"(words[2]),
                 "r"(words[3]), "r"(static_cast<uint32_t>(condition))
               : "memory");
}

/// Makes `*ready` 1, for a CTA that is to see what this one wrote.
__device__ inline void setReady(int32_t *ready) {
  asm volatile("st.release.gpu.global.b32 [%0], %1;"
               :
               : "l"(ready), "r"(1)
               : "memory");
}

/// The lse of a row that has also what another part saw, whose own one is
/// `other`, and what the sums of both are to be multiplied by.
__device__ inline float mergeSums(float lse, float other, float &own,
                                  float &others) {
  float top = fmaxf(lse, other);
  float shift = top == minusInfinity() ? 0 : top;
  float ownShare = exp2Approximate(lse - shift);
  float otherShare = exp2Approximate(other - shift);
  float total = ownShare + otherShare;
  float factor = total != 0 ? __fdividef(1, total) : 0;
  own *= ownShare * factor, others = otherShare * factor;
  return total != 0 ? top + __log2f(total) : minusInfinity();
}

template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void
Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::finish(const Item &item,
                                                       int place) {
  Rows &rows = control.rows[place];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8;
    sum[i] += __shfl_xor_sync(~0u, sum[i], 1);
    sum[i] += __shfl_xor_sync(~0u, sum[i], 2);
    if (lane() % 4 == 0)
      rows.sum[side][row] = sum[i];
  }
  // The second kernel gets the multiprocessors that have ended. To let it start
  // with this one took longer.
  letNextStart();
  if (item.other >= 0)
    arrive(control.otherEmpty);
  syncThreads(BothGroupsBarrier, 2 * groupThreads);
  if (item.slot >= 0)
    finishPart(item, rows);
  else
    finishTile(item, rows);
}

/// The state goes to a slot. That of a row that saw nothing has no weight: what
/// it holds isn't used.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void
Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::finishPart(const Item &item,
                                                           const Rows &rows) {
  float *state = p.slots + item.slot * slotFloats;
  float own[2];
  char *to[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8;
    float total = rows.sum[0][row] + rows.sum[1][row];
    own[i] = __fdividef(1, total);
    float lse = lseOf(i, total);
    bool exists = rows.token[row] >= 0;
    to[i] = exists ? reinterpret_cast<char *>(state + row * maxSlotColumns)
                   : nullptr;
    if (exists && side == 0 && lane() % 4 == 0)
      state[maxTileRows * maxSlotColumns + row] = lse;
  }
  storeParts(to, own);
  if (item.told >= 0) {
    __threadfence();
    syncThreads(BothGroupsBarrier, 2 * groupThreads);
    if (side == 0 && thread == 0)
      setReady(p.ready + item.told);
  }
}

/// The output, with another part's state where there is one.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void
Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::finishTile(const Item &item,
                                                           const Rows &rows) {
  if (item.other >= 0)
    control.otherFull.wait(0);
  const float *other = p.slots + item.other * slotFloats;
  // What a row of O and of the other state are to be multiplied by.
  float own[2], others[2] = {0, 0};
  char *to[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8, t = rows.token[row], h = rows.head[row];
    float total = rows.sum[0][row] + rows.sum[1][row];
    own[i] = total != 0 ? __fdividef(1, total) : 0;
    float lse = lseOf(i, total);
    to[i] = nullptr;
    if (t < 0)
      continue;
    to[i] = p.o.at(t, h);
    if (item.other >= 0)
      lse = mergeSums(lse, __ldcg(other + maxTileRows * maxSlotColumns + row),
                      own[i], others[i]);
    if (p.sinks) {
      float factor;
      lse = call.addSink(h, lse, factor);
      own[i] *= factor, others[i] *= factor;
    }
    if (side == 0 && lane() % 4 == 0)
      call.storeLse(t, h, lse);
  }
  if (__any_sync(~0u, own[0] == 0 || own[1] == 0))
    clearRows(own);
  if (item.other >= 0)
    addOther(own, others);
  store(to, own);
}

/// Where nothing was seen O may hold anything.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::clearRows(
    const float (&own)[2]) {
#pragma unroll
  for (int j = 0; j < numSums; ++j)
    o[j] = own[j / 2 % 2] != 0 ? o[j] : 0;
}

/// Adds the state of another part, which is in shared memory, times `others` to
/// O times `own`, which becomes 1.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::addOther(
    float (&own)[2], const float (&others)[2]) {
  const float *from = reinterpret_cast<const float *>(shared + Shared::stages) +
                      ownRow() * Shared::statePitch +
                      side * BoxesEach * boxColumns + lane() % 4 * 2;
#pragma unroll
  for (int i = 0; i < 2; ++i, from += 8 * Shared::statePitch) {
    // What has no weight may hold anything.
    if (others[i] == 0)
      continue;
#pragma unroll
    for (int j = 2 * i; j < numSums; j += 4) {
      float2 values = *reinterpret_cast<const float2 *>(from + j / 4 * 8);
      o[j] = o[j] * own[i] + values.x * others[i];
      o[j + 1] = o[j + 1] * own[i] + values.y * others[i];
    }
    own[i] = 1;
  }
}

/// Writes the thread's rows, 16 bytes at a time; none to nowhere.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void
Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::store(char *const (&rows)[2],
                                                      const float (&by)[2]) {
  int column = side * BoxesEach * boxColumns + lane() % 4 * 8;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    if (!__any_sync(~0u, rows[i] != nullptr))
      continue;
    char *to = rows[i] + column * 2;
#pragma unroll
    for (int j = 0; j < numSums; j += 16) {
      uint32_t words[4];
#pragma unroll
      for (int k = 0; k < 4; ++k)
        words[k] = packPair<T>(o[j + 4 * k + 2 * i] * by[i],
                               o[j + 4 * k + 2 * i + 1] * by[i]);
      transposeFour(words, lane());
      storeIf(rows[i], to + j * 4, words);
    }
  }
}

/// The same in f32. Even lanes get four columns of the first of two eights from
/// their neighbours, odd ones of the second.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::storeParts(
    char *const (&rows)[2], const float (&by)[2]) {
  bool odd = lane() & 1;
  int column = side * BoxesEach * boxColumns + lane() % 4 / 2 * 4 + odd * 8;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    if (!__any_sync(~0u, rows[i] != nullptr))
      continue;
    float *to = reinterpret_cast<float *>(rows[i]) + column;
#pragma unroll
    for (int j = 0; j < numSums; j += 8) {
      const float first[2] = {o[j + 2 * i] * by[i], o[j + 2 * i + 1] * by[i]};
      const float second[2] = {o[j + 2 * i + 4] * by[i],
                               o[j + 2 * i + 5] * by[i]};
      float a = __shfl_xor_sync(~0u, odd ? first[0] : second[0], 1);
      float b = __shfl_xor_sync(~0u, odd ? first[1] : second[1], 1);
      const uint32_t words[4] = {__float_as_uint(odd ? a : first[0]),
                                 __float_as_uint(odd ? b : first[1]),
                                 __float_as_uint(odd ? second[0] : a),
                                 __float_as_uint(odd ? second[1] : b)};
      storeIf(rows[i], to + j * 2, words);
    }
  }
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H
