//===- AbsorbedSm90Attend.h - The warps that multiply ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Each of two warpgroups has all rows of the tile and half of O's columns. They
// take the blocks of keys in turn: a block's owner makes its weights, which
// both multiply by their half of its values,
//
//   S = Q K^T,  P = exp2(S - reference),  O = O * rescale + P V.
//
// A row's reference is what its maximum was when it last grew by much: it goes
// from one owner to the other with the weights. While one group makes weights,
// the tensor cores work for the other.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H

#include "sm90/AbsorbedSm90.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// How far a row's logits may exceed the reference before that follows them:
/// log2 of the largest weight.
constexpr float growth = 8;

template <typename T, int BoxesEach, bool HasPe> class Attend {
  using Shared = Layout<BoxesEach, HasPe>;

public:
  /// Of the warpgroup `side`, 0 or 1.
  __device__ Attend(const AbsorbedCall &call, const AbsorbedParams &p,
                    char *shared, int side)
      : call(call), p(p), shared(shared), base(sharedAddress(shared)),
        control(*reinterpret_cast<Control *>(shared + Shared::control)),
        side(side), thread(threadIdx.x % groupThreads) {}

  __device__ void run() {
    int first = 0; // number of the item's first block in the CTA
    for (int i = 0;; ++i) {
      control.queryFull.wait(i & 1);
      const Item &item = control.items[i % numPlaces];
      if (item.rows == 0)
        return;
      int last = first + item.blocks();
      attend(item, i % numPlaces, first, last);
      finish(item, i % numPlaces, first, last);
      first = last;
    }
  }

private:
  static constexpr int numSums = BoxesEach * boxColumns / 2;
  using Logits = float[32];

  __device__ void attend(const Item &item, int place, int first, int last) {
    int toBlock = item.blockBegin - first;
    sum[0] = sum[1] = 0;
    Logits s;
    int n = first + ((first ^ side) & 1);
    if (n >= last)
      arrive(control.queryEmpty);
    if (n == first && n < last) {
      multiplyKeys(s, n);
      waitForProducts<0>();
      pin(s);
      if (n + 2 >= last)
        arrive(control.queryEmpty);
      toWeights<true>(s, place, n + toBlock);
      multiplyValues(n, side, false);
      waitForProducts<0>();
      pin(o);
      arrive(control.empty[side][side]);
      n += 2;
    }
    for (; n < last; n += 2) {
      takeOthers(n - 1, n - 1 > first);
      multiplyKeys(s, n);
      waitForProducts<1>();
      pin(o);
      arrive(control.empty[side ^ 1][side]);
      waitForProducts<0>();
      pin(s);
      if (n + 2 >= last)
        arrive(control.queryEmpty);
      toWeights<false>(s, place, n + toBlock);
      rescale(side);
      multiplyValues(n, side, true);
      waitForProducts<0>();
      pin(o);
      arrive(control.empty[side][side]);
    }
    if (n == last && n > first) {
      takeOthers(n - 1, n - 1 > first);
      waitForProducts<0>();
      pin(o);
      arrive(control.empty[side ^ 1][side]);
    }
  }

  /// Each warp tells for itself that it came so far.
  __device__ void arrive(Barrier &barrier) {
    __syncwarp();
    if (lane() == 0)
      barrier.arrive();
  }

  __device__ int lane() const { return thread % 32; }
  /// The thread's row; another one is 8 below.
  __device__ int ownRow() const { return thread / 32 * 16 + lane() / 4; }
  __device__ uint32_t stage(int index) const {
    return base + Shared::stages + index * Shared::stageBytes;
  }

  /// Starts S = Q K^T of the group's own block `n`, box by box as they come.
  __device__ void multiplyKeys(Logits &s, int n) {
    uint64_t query = describe(base + Shared::query);
    uint64_t keys = describe(stage(side));
    pin(s);
    beginProducts();
#pragma unroll
    for (int box = 0; box < Shared::keyBoxes; ++box) {
      control.full[side][box].wait(n / numStages & 1);
      beginProducts();
#pragma unroll
      for (int step = 0; step < 4; ++step) {
        int at = (box * boxBytes + step * 32) / 16;
        multiplyRows<T>(s, query + at, keys + at, box + step != 0);
      }
    }
    commitProducts();
  }

  /// Starts O += P V of block `n`, or O = P V unless `add`.
  __device__ void multiplyValues(int n, int index, bool add) {
    control.weights[index].wait(n / numStages & 1);
    uint64_t weights = describe(stage(index) + Shared::weights);
    uint64_t values = describe(stage(index) + side * BoxesEach * boxBytes);
    pin(o);
    beginProducts();
#pragma unroll
    for (int step = 0; step < 4; ++step)
      multiplyColumns<T>(o, weights + step * 32 / 16,
                         values + step * 2 * eightRows / 16, add || step != 0);
    commitProducts();
  }

  /// The same of a block of the other group.
  __device__ void takeOthers(int n, bool add) {
    control.weights[side ^ 1].wait(n / numStages & 1);
    rescale(side ^ 1);
#pragma unroll
    for (int i = 0; i < 2; ++i)
      sum[i] *= control.rescale[side ^ 1][ownRow() + i * 8];
    multiplyValues(n, side ^ 1, add);
  }

  /// Brings O to the reference of the block in stage `index`.
  __device__ void rescale(int index) {
    const float *factors = control.rescale[index];
    float factor[2] = {factors[ownRow()], factors[ownRow() + 8]};
    if (!__any_sync(~0u, factor[0] != 1 || factor[1] != 1))
      return;
#pragma unroll
    for (int j = 0; j < numSums; j += 4) {
      o[j] *= factor[0], o[j + 1] *= factor[0];
      o[j + 2] *= factor[1], o[j + 3] *= factor[1];
    }
  }

  /// P of the group's own block from S. Of the item's first block nothing is
  /// before.
  template <bool IsFirst>
  __device__ void toWeights(Logits &s, int place, int block) {
    const Item &item = control.items[place];
    bool isTail = (block + 1) * blockKeys > item.leastSeen;
    if (isTail)
      hideUnseen(s, control.rows[place], block);
    float top[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float most = s[2 * i];
#pragma unroll
      for (int j = 0; j < 32; j += 4)
        most = fmaxf(most, fmaxf(s[j + 2 * i], s[j + 2 * i + 1]));
      most = fmaxf(most, __shfl_xor_sync(~0u, most, 1));
      most = fmaxf(most, __shfl_xor_sync(~0u, most, 2)) * p.scale;
      int row = ownRow() + i * 8;
      float before =
          IsFirst ? minusInfinity() : control.reference[side ^ 1][row];
      float next = most > before + growth ? most : before;
      top[i] = next == minusInfinity() ? 0 : next;
      // There are no sums yet of the first block's rows.
      float factor = IsFirst ? 1 : exp2Approximate(before - top[i]);
      sum[i] *= factor;
      if (lane() % 4 == 0) {
        control.reference[side][row] = next;
        control.rescale[side][row] = factor;
      }
    }
    uint32_t pairs[16];
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      float low = exp2Approximate(fmaf(s[2 * j], p.scale, -top[j % 2]));
      float high = exp2Approximate(fmaf(s[2 * j + 1], p.scale, -top[j % 2]));
      sum[j % 2] += low + high;
      pairs[j] = packPair<T>(low, high);
    }
    // All warps are done with the keys.
    syncThreads(GroupBarrier + side, groupThreads);
    if (isTail)
      dropNonFinite(max(item.leastSeen - block * blockKeys, 0));
    storeWeights(pairs);
    fenceSharedWrites();
    arrive(control.weights[side]);
  }

  __device__ void hideUnseen(Logits &s, const Rows &rows, int block) {
    int bound[2] = {rows.bound[ownRow()], rows.bound[ownRow() + 8]};
#pragma unroll
    for (int j = 0; j < 32; ++j) {
      int key = block * blockKeys + j / 4 * 8 + lane() % 4 * 2 + j % 2;
      if (key >= bound[j / 2 % 2])
        s[j] = minusInfinity();
    }
  }

  /// Pairs of a row's weights, two rows in turn, to the stage's box for them.
  __device__ void storeWeights(const uint32_t (&pairs)[16]) {
    int row = thread / 32 * 16 + lane() / 8 % 2 * 8 + lane() % 8;
    uint32_t to = stage(side) + Shared::weights;
#pragma unroll
    for (int j = 0; j < 4; ++j)
      storeMatrices(to + swizzledUnit(row, 2 * j + lane() / 16), pairs[4 * j],
                    pairs[4 * j + 1], pairs[4 * j + 2], pairs[4 * j + 3]);
  }

  /// What isn't finite in keys that no row or not every row sees would reach
  /// all rows, multiplied by 0: from key `first` on zeros take its place.
  __device__ void dropNonFinite(int first) {
    constexpr int units = Shared::valueBoxes * 8;
    char *from = shared + (stage(side) - base);
    for (int i = first * units + thread; i < blockKeys * units;
         i += groupThreads) {
      int key = i / units, unit = i % units;
      auto *at = reinterpret_cast<uint4 *>(from + unit / 8 * boxBytes +
                                           key * boxRowBytes + unit % 8 * 16);
      uint4 value = *at;
      value.x = finiteParts(value.x), value.y = finiteParts(value.y);
      value.z = finiteParts(value.z), value.w = finiteParts(value.w);
      *at = value;
    }
  }
  __device__ static uint32_t finiteParts(uint32_t word) {
    constexpr uint32_t exponents = isHalf<T> ? 0x7c007c00u : 0x7f807f80u;
    return word & ~__vcmpeq2(word & exponents, exponents);
  }

  __device__ void finish(const Item &item, int place, int first, int last);
  __device__ void clearRows(const float (&own)[2]);
  __device__ void addOthers(const float *state, float (&own)[2],
                            const float (&others)[2]);
  __device__ void store(char *const (&rows)[2], const float (&by)[2]);
  __device__ void storeParts(char *const (&rows)[2], const float (&by)[2]);

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  char *shared;
  uint32_t base;
  Control &control;
  int side, thread;
  float o[numSums]; ///< Of the rows, as products give it.
  /// Of the thread's own weights of the rows, relative to O's reference.
  float sum[2];
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H
