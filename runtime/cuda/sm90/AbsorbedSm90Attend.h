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
// from one owner to the other with the weights. AbsorbedSm90Order.h says what
// comes after what.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H

#include "Quads.h"
#include "sm90/AbsorbedSm90.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// What a thread's weights of a row in a block may add up to before the row's
/// reference follows its maximum: far less than f16 can hold.
constexpr float mostOwn = 256;

template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
class Attend {
  using Shared = Layout<BoxesEach, HasPe>;

public:
  /// Of the warpgroup `side`, 0 or 1.
  __device__ Attend(const AbsorbedCall &call, const AbsorbedParams &p,
                    char *shared, int side, bool isPaired)
      : call(call), p(p), shared(shared), base(sharedAddress(shared)),
        control(*reinterpret_cast<Control *>(shared + Shared::control)),
        side(side), thread(threadIdx.x % groupThreads),
        empty(addressIn(isPaired ? side : clusterRank(),
                        control.empty[0][side].address())),
        arrivals(isPaired ? 1 : clusterSize()) {}

  __device__ void run() {
    int first = 0; // number of the item's first block in the CTA
    for (int i = 0;; ++i) {
      control.queryFull.wait(i & 1);
      const Item &item = control.items[i % numPlaces];
      if (item.isEnd)
        return;
      int last = first + item.blocks();
      sum[0] = sum[1] = 0;
      reference[0] = reference[1] = minusInfinity();
      if constexpr (!Overlaps)
        attend(item, i % numPlaces, first, last);
      else if (side == 0)
        lead(item, i % numPlaces, first, last);
      else
        follow(item, i % numPlaces, first, last);
      finish(item, i % numPlaces);
      first = last;
    }
  }

private:
  static constexpr int numSums = BoxesEach * boxColumns / 2;
  using Logits = float[32];

  using Weights = uint32_t[16];
  static constexpr int sixteenRows = 2 * eightRows / 16; ///< In descriptors.

  // The orders: AbsorbedSm90Order.h.
  __device__ void attend(const Item &item, int place, int first, int last);
  __device__ void lead(const Item &item, int place, int first, int last);
  __device__ void follow(const Item &item, int place, int first, int last);

  /// Each warp tells for itself that it came so far.
  __device__ void arrive(Barrier &barrier) {
    __syncwarp();
    if (lane() == 0)
      barrier.arrive();
  }

  __device__ int lane() const { return thread % 32; }
  /// The thread's row; another one is 8 below.
  __device__ int ownRow() const { return thread / 32 * 16 + lane() / 4; }
  __device__ static int stageOf(int n) { return n % numStages; }
  /// Of the barriers of block `n`.
  __device__ static uint32_t phaseOf(int n) { return n / numStages & 1; }
  __device__ uint32_t stage(int n) const {
    return base + Shared::stages + stageOf(n) * Shared::stageBytes;
  }

  /// A block's stage, as products take it: keys, the columns that are the
  /// group's values, and weights. Of an item a group's own blocks are all in
  /// the same.
  struct Matrices {
    uint32_t keys, values, weights;
  };
  __device__ Matrices matricesOf(int n) const {
    uint32_t keys = uniform(describe(stage(n)));
    return {keys, keys + side * BoxesEach * boxBytes / 16,
            keys + Shared::weights / 16};
  }

  /// Starts S = Q K^T of the group's own block `n`, box by box as they come, or
  /// half by half where they are gathered.
  __device__ void multiplyKeys(Logits &s, uint32_t keys, int n) {
    uint32_t query = describe(base + Shared::query);
    pin(s);
    beginProducts();
    Barrier *full = control.full[stageOf(n)];
    bool isThere = false;
#pragma unroll
    for (int box = 0; box < Shared::keyBoxes; ++box) {
      if constexpr (Gathers) {
        if (box % BoxesEach == 0)
          waitForGathered(box / BoxesEach, n);
      } else {
        if (!isThere)
          full[box].wait(phaseOf(n));
        // The answer is there when this box's products have been started.
        if (box + 1 < Shared::keyBoxes)
          isThere = full[box + 1].hasEnded(phaseOf(n));
      }
      beginProducts();
#pragma unroll
      for (int step = 0; step < 4; ++step) {
        int at = (box * boxBytes + step * 32) / 16;
        multiplyRows<T>(s, query + at, keys + at, box + step != 0);
      }
    }
    commitProducts();
  }

  /// Until a half of the columns of block `n` is there, or the pe part. What
  /// copied them isn't what reads them: the tensor cores see them after this
  /// thread's fence, which stands for the other group too, as it waits for the
  /// weights.
  __device__ void waitForGathered(int part, int n) {
    control.full[stageOf(n)][part].wait(phaseOf(n));
    fenceSharedWrites();
  }

  /// Waits for the weights of the other group's block `n` and takes the
  /// reference that it chose; `factor` is what sums are to be multiplied by.
  __device__ void followReference(float (&factor)[2], int n) {
    control.weights[stageOf(n)].wait(phaseOf(n));
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      Reference other = control.references[stageOf(n)][ownRow() + i * 8];
      reference[i] = other.value;
      factor[i] = other.factor;
      sum[i] *= factor[i];
    }
  }

  /// Starts O = O * factor + P V of a block whose weights are there, or
  /// O = P V unless `add`; endValues() ends it.
  __device__ void takeValues(const float (&factor)[2], const Matrices &matrices,
                             bool add) {
    if (add)
      rescale(factor);
    pin(o);
    beginProducts();
#pragma unroll
    for (int step = 0; step < 4; ++step)
      multiplyColumns<T>(o, matrices.weights + step * 32 / 16,
                         matrices.values + step * sixteenRows,
                         add || step != 0);
    commitProducts();
  }

  /// The same of the group's own block, whose weights are in registers still,
  /// without a factor.
  __device__ void takeValues(const Weights &weights, const Matrices &matrices,
                             bool add) {
    pin(o);
    beginProducts();
#pragma unroll
    for (int step = 0; step < 4; ++step)
      multiplyColumns<T>(o, weights + 4 * step,
                         matrices.values + step * sixteenRows,
                         add || step != 0);
    commitProducts();
  }

  /// Ends the product with block `n`, whose values then are done with.
  __device__ void endValues(int n) {
    waitForProducts<0>();
    pin(o);
    __syncwarp();
    if (lane() != 0)
      return;
    if constexpr (Gathers) {
      // Who copies the pe part has waited for both groups.
      control.empty[stageOf(n)][side].arrive();
    } else {
      if (HasPe)
        control.peEmpty[stageOf(n)].arrive();
      arriveAt(empty + stageOf(n) * sizeof(control.empty[0]), arrivals);
    }
  }

  /// Brings O to another reference.
  __device__ void rescale(const float (&factor)[2]) {
    if (!__any_sync(~0u, factor[0] != 1 || factor[1] != 1))
      return;
    // O isn't among those under way any more, which the compiler doesn't see.
    waitForProducts<0>();
#pragma unroll
    for (int j = 0; j < numSums; j += 4) {
      o[j] *= factor[0], o[j + 1] *= factor[0];
      o[j + 2] *= factor[1], o[j + 3] *= factor[1];
    }
  }

  /// The first block, in the CTA's numbers, that not all rows see whole.
  __device__ static int firstTail(const Item &item, int first) {
    return item.leastSeen / blockKeys - item.blockBegin + first;
  }

  /// Makes P of the group's own block `n`, the item's `index`-th, from S, and
  /// gives what O before is to be multiplied by, which is done here where the
  /// groups overlap. tellWeights() is to follow. All that is rare is in one
  /// place: to jump over code takes 40 clocks.
  __device__ void makeWeights(Weights &weights, float (&factor)[2], Logits &s,
                              int place, int n, int index, bool isTail) {
    int row = opaque(ownRow());
    // Gathered keys have no tail: unseen ones are zeros.
    isTail = isTail && !Gathers;
    if constexpr (Gathers)
      hideMissing(s, n);
    // That weights are too large their sums tell: maxima would take as long as
    // the weights.
    float own[2];
    bool follows[2] = {true, true};
    auto anyFollows = [&] {
      weigh(weights, own, s, reference);
      follows[0] = !(own[0] <= mostOwn), follows[1] = !(own[1] <= mostOwn);
      return __any_sync(~0u, follows[0] || follows[1]);
    };
    factor[0] = factor[1] = 1;
    if (index == 0 || isTail || anyFollows()) {
      if (isTail)
        hideUnseen(s, control.rows[place],
                   control.items[place].blockBegin + index);
      if (index == 0 || !isTail || anyFollows()) {
        float top[2];
        followMaximum(factor, top, follows, s);
        weigh(weights, own, s, top);
      }
      if (Overlaps) {
        waitForProducts<0>();
        pin(o);
      }
      if (isTail)
        clearTail(place, n, index);
      if (Overlaps && index > 0)
        rescale(factor);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      sum[i] = sum[i] * factor[i] + own[i];
      if (lane() % 4 == 0)
        control.references[stageOf(n)][row + i * 8] = {reference[i], factor[i]};
    }
  }

  /// P relative to `top`, and the sums of the thread's weights: not a number,
  /// or infinite, where there is no `top` yet.
  __device__ void weigh(Weights &weights, float (&own)[2], const Logits &s,
                        const float (&top)[2]) {
    own[0] = own[1] = 0;
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      float low = exp2Approximate(fmaf(s[2 * j], p.scale, -top[j % 2]));
      float high = exp2Approximate(fmaf(s[2 * j + 1], p.scale, -top[j % 2]));
      own[j % 2] += low + high;
      weights[j] = packPair<T>(low, high);
    }
  }

  /// A row's reference becomes its maximum, if that is more, where one of the
  /// row's threads has it follow: no row depends on another.
  __device__ void followMaximum(float (&factor)[2], float (&top)[2],
                                const bool (&follows)[2], const Logits &s) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float most = s[2 * i];
#pragma unroll
      for (int j = 0; j < 32; j += 4)
        most = fmaxf(most, fmaxf(s[j + 2 * i], s[j + 2 * i + 1]));
      most = maxOfFour(most) * p.scale;
      bool rowFollows = __ballot_sync(~0u, follows[i]) >> (lane() & ~3) & 15;
      float before = reference[i];
      reference[i] = rowFollows && most > before ? most : before;
      top[i] = reference[i] == minusInfinity() ? 0 : reference[i];
      factor[i] = exp2Approximate(before - top[i]);
    }
  }

  /// Of the group's own block `n`, the item's `index`-th, which not all rows
  /// see whole: what isn't finite in values would reach all rows, multiplied by
  /// 0.
  __device__ void clearTail(int place, int n, int index) {
    const Item &item = control.items[place];
    int key = (item.blockBegin + index) * blockKeys;
    int least = min(max(item.leastSeen - key, 0), blockKeys);
    int most = min(max(item.mostSeen - key, 0), blockKeys);
    // Warps that still multiply these keys hide what they get.
    clearKeys(n, most);
    if (least < most) {
      // All warps are done with the others, which some rows see.
      syncThreads(GroupBarrier + side, groupThreads);
      dropNonFinite(n, least, most);
    }
    fenceSharedWrites();
    syncThreads(GroupBarrier + side, groupThreads);
  }

  /// Gives the other group the weights of the group's own block `n`.
  __device__ void tellWeights(const Weights &weights, int n) {
    // All warps are done with the keys, whose pe part gives way.
    if (HasPe)
      syncThreads(GroupBarrier + side, groupThreads);
    storeWeights(n, weights);
    fenceSharedWrites();
    arrive(control.weights[stageOf(n)]);
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

  /// The same of gathered keys, which all rows see or none does. In place of
  /// those there are zeros.
  __device__ void hideMissing(Logits &s, int n) {
    const uint32_t (&seen)[gatherWarps] = control.seen[stageOf(n)];
    uint32_t words[gatherWarps];
    bool all = true;
#pragma unroll
    for (int warp = 0; warp < gatherWarps; ++warp) {
      words[warp] = seen[warp];
      all = all && words[warp] == (1u << keysOfWarp(warp)) - 1;
    }
    if (all)
      return;
#pragma unroll
    for (int j = 0; j < 32; ++j) {
      int key = j / 4 * 8 + j % 2; // and twice the lane's place in its row
      if (!(words[key / warpKeys] >> (key % warpKeys + lane() % 4 * 2) & 1))
        s[j] = minusInfinity();
    }
  }

  /// Pairs of a row's weights, two rows in turn, to the stage's box for them.
  __device__ void storeWeights(int n, const uint32_t (&pairs)[16]) {
    int row = thread / 32 * 16 + lane() / 8 % 2 * 8 + lane() % 8;
    uint32_t to = stage(n) + Shared::weights;
#pragma unroll
    for (int j = 0; j < 4; ++j)
      storeMatrices(to + swizzledUnit(row, 2 * j + lane() / 16), pairs[4 * j],
                    pairs[4 * j + 1], pairs[4 * j + 2], pairs[4 * j + 3]);
  }

  /// Puts zeros in its place in the keys [begin, end).
  __device__ void dropNonFinite(int n, int begin, int end) {
    char *keys = shared + (stage(n) - base);
    for (int i = begin * unitsOfKey + thread; i < end * unitsOfKey;
         i += groupThreads) {
      auto *at = reinterpret_cast<uint4 *>(keys + placeOfUnit(i));
      uint4 value = *at;
      value.x = finiteParts(value.x), value.y = finiteParts(value.y);
      value.z = finiteParts(value.z), value.w = finiteParts(value.w);
      *at = value;
    }
  }
  /// Makes the values zeros of the keys from `begin` on, which no row sees. Of
  /// a box they lie in a line.
  __device__ void clearKeys(int n, int begin) {
    constexpr int bytesAtOnce = groupThreads * 16;
    char *keys = shared + (stage(n) - base);
#pragma unroll
    for (int box = 0; box < Shared::valueBoxes; ++box)
#pragma unroll
      for (int i = 0; i < boxBytes; i += bytesAtOnce) {
        int at = begin * boxRowBytes + thread * 16 + i;
        if (at < boxBytes)
          *reinterpret_cast<uint4 *>(keys + box * boxBytes + at) =
              make_uint4(0, 0, 0, 0);
      }
  }

  static constexpr int unitsOfKey = Shared::valueBoxes * 8; ///< Of 16 bytes.
  /// Of one of a key's units, in any order.
  __device__ static int placeOfUnit(int i) {
    int unit = i % unitsOfKey;
    return unit / 8 * boxBytes + i / unitsOfKey * boxRowBytes + unit % 8 * 16;
  }
  __device__ static uint32_t finiteParts(uint32_t word) {
    constexpr uint32_t exponents = isHalf<T> ? 0x7c007c00u : 0x7f807f80u;
    return word & ~__vcmpeq2(word & exponents, exponents);
  }

  __device__ void finish(const Item &item, int place);
  __device__ void finishPart(const Item &item, const Rows &rows);
  __device__ void finishTile(const Item &item, const Rows &rows);
  /// In units of log 2, of the thread's row `i`, whose weights' sum is `total`.
  __device__ float lseOf(int i, float total) const {
    return total != 0 ? reference[i] + __log2f(total) : minusInfinity();
  }
  __device__ void clearRows(const float (&own)[2]);
  __device__ void addOther(float (&own)[2], const float (&others)[2]);
  __device__ void store(char *const (&rows)[2], const float (&by)[2]);
  __device__ void findMost(float (&most)[2]) const;
  __device__ void storeState(char *slot, const float (&by)[2],
                             const bool (&exists)[2]);
  /// Where a state has what the lane has of the warp's first eight rows and
  /// the group's columns, in bytes.
  __device__ int statePlace() const {
    return side * Shared::state().halfBytes() +
           thread / 32 * 2 * Shared::state().eightBytes() + lane() * laneBytes;
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  char *shared;
  uint32_t base;
  Control &control;
  int side, thread;
  uint32_t empty;   ///< Of stage 0: who is told that values are done with,
  int arrivals;     ///< and how often, for as many CTAs.
  int turns = 0;    ///< That the second group had or passed.
  float o[numSums]; ///< Of the rows, as products give it.
  /// Of the thread's two rows: what weights are relative to, log2, and the sums
  /// of the thread's own weights.
  float reference[2], sum[2];
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90ATTEND_H
