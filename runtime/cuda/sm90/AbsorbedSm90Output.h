//===- AbsorbedSm90Output.h - The end of an item --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// O and the sums of weights become the output and its lse, or a part's state in
// a slot, which AbsorbedCombineSm90.cu merges with the others'.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H

#include "Launch.h"
#include "Quads.h"
#include "sm90/AbsorbedSm90Attend.h"

#include <cfloat>

namespace mla {
namespace cuda {
namespace sm90 {

/// Makes `*ready` 1, for a CTA that is to see what this one wrote.
__device__ inline void setReady(int32_t *ready) {
  asm volatile("st.release.gpu.global.b32 [%0], %1;"
               :
               : "l"(ready), "r"(1)
               : "memory");
}

/// For numbers up to `most`: a power of two that brings the largest to
/// [2^14, 2^15), where f16 has all its bits, if it isn't below 2^-112; and what
/// undoes it. Both are normal numbers whatever `most` is.
__device__ inline void scaleToHalf(float most, float &scale, float &undo) {
  int exponent = min(max(__float_as_int(most) >> 23, 15), 254); // biased
  scale = __int_as_float((268 - exponent) << 23);
  undo = __int_as_float((exponent - 14) << 23);
}

/// What a thread has of one of its rows in four eights of columns, times `by`.
template <typename Element>
__device__ inline void packFour(uint32_t (&words)[4], const float *sums,
                                float by) {
#pragma unroll
  for (int k = 0; k < 4; ++k)
    words[k] = packPair<Element>(sums[4 * k] * by, sums[4 * k + 1] * by);
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
    sum[i] = sumOfFour(sum[i]);
    if (lane() % 4 == 0)
      rows.sum[side][row] = sum[i];
  }
  if (!letsNextStartEarly())
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
  char *slot = slotAt(p.slots, item.slot);
  float by[2];
  findMost(by);
  bool exists[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    int row = ownRow() + i * 8;
    float total = rows.sum[0][row] + rows.sum[1][row];
    float own = __fdividef(1, total), scale, undo;
    scaleToHalf(by[i] * own, scale, undo);
    by[i] = own * scale;
    // Eight rows are written where there is one of them.
    exists[i] = __any_sync(~0u, rows.token[row] >= 0);
    if (exists[i] && lane() % 4 == 0)
      *reinterpret_cast<StateRow *>(slot + StateSlot::placeOfRow(side, row)) = {
          lseOf(i, total), undo};
  }
  storeState(slot, by, exists);
  if (item.told >= 0) {
    __threadfence();
    syncThreads(BothGroupsBarrier, 2 * groupThreads);
    if (side == 0 && thread == 0)
      setReady(p.ready + item.told);
  }
}

/// The largest finite magnitude of a row's columns that the group has.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::findMost(
    float (&most)[2]) const {
  auto find = [&](auto magnitude) {
    most[0] = most[1] = 0;
#pragma unroll
    for (int j = 0; j < numSums; ++j)
      most[j / 2 % 2] = fmaxf(most[j / 2 % 2], magnitude(fabsf(o[j])));
  };
  find([](float x) { return x; });
  bool isInfinite = most[0] > FLT_MAX || most[1] > FLT_MAX;
  if (__builtin_expect(__any_sync(~0u, isInfinite), 0))
    find([](float x) { return x <= FLT_MAX ? x : 0; });
#pragma unroll
  for (int i = 0; i < 2; ++i)
    most[i] = maxOfFour(most[i]);
}

/// Writes O times `by`, of the eights of rows that exist, to a slot.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::storeState(
    char *slot, const float (&by)[2], const bool (&exists)[2]) {
  char *to = slot + statePlace();
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < numSums; j += 16) {
      uint32_t words[4];
      packFour<__half>(words, o + j + 2 * i, by[i]);
      storeIf(exists[i],
              to + i * Shared::state().eightBytes() + j / 16 * unitBytes,
              words);
    }
}

/// The output, with another part's state where there is one.
template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__device__ void
Attend<T, BoxesEach, HasPe, Overlaps, Gathers>::finishTile(const Item &item,
                                                           const Rows &rows) {
  if (item.other >= 0)
    control.otherFull.wait(0);
  const char *other = slotAt(p.slots, item.other);
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
    if (item.other >= 0) {
      float2 state = __ldcg(reinterpret_cast<const float2 *>(
          other + StateSlot::placeOfRow(side, row)));
      lse = mergeSums(lse, state.x, own[i], others[i]);
      others[i] *= state.y;
    }
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
  const char *from = shared + Shared::stages + statePlace();
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    // What has no weight may hold anything.
    if (others[i] == 0)
      continue;
#pragma unroll
    for (int j = 0; j < numSums; j += 16) {
      auto values = *reinterpret_cast<const uint4 *>(
          from + i * Shared::state().eightBytes() + j / 16 * unitBytes);
      const uint32_t words[4] = {values.x, values.y, values.z, values.w};
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        float2 pair = unpackHalves(words[k]);
        float *sums = o + j + 4 * k + 2 * i;
        sums[0] = sums[0] * own[i] + pair.x * others[i];
        sums[1] = sums[1] * own[i] + pair.y * others[i];
      }
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
      packFour<T>(words, o + j + 2 * i, by[i]);
      transposeFour(words, lane());
      storeIf(rows[i], to + j * 4, words);
    }
  }
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90OUTPUT_H
