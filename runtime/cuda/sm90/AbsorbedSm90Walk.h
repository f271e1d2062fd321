//===- AbsorbedSm90Walk.h - The items of a CTA ----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A CTA takes its items from the last to the first. So the tile that it leaves
// to the part behind is its first work, and the tile that it ends for the part
// before is its last: where a tile has two parts, the second CTA finds the
// first one's state ready, and merges it with its own in registers. It waits
// for a CTA of a lower number, never for a higher one: CTAs start in the order
// of their numbers, so it can't be that all that run wait for one that doesn't.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90WALK_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90WALK_H

#include "sm90/AbsorbedSm90.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// Asks at once for all that tells a CTA its part: one question leads to the
/// other, and each would wait for memory.
__device__ inline void fetchEarly(const AbsorbedParams &p) {
  constexpr int most = 2 * numThreads; // Of each tensor: no more than pays.
  auto fetch = [&](const Tensor<1> &tensor, int begin, int64_t end) {
    int64_t last = min(end, static_cast<int64_t>(begin) + most);
    for (int64_t i = begin + threadIdx.x; i < last; i += numThreads)
      asm volatile("prefetch.global.L2 [%0];" : : "l"(tensor.at(i)));
  };
  fetch(p.schedule, 0, ScheduleStarts + 3 * (p.shape.numCTAs + 1));
  fetch(p.cuQ, 0, p.seqs + 1);
  fetch(p.kvLens, 0, p.seqs);
}

/// Whether a part that starts at `start` begins within the item of `tile`.
__device__ inline bool startsWithin(const Cursor &start, const Cursor &tile) {
  return start.block > 0 && start.sequence == tile.sequence &&
         start.item == tile.item;
}

/// The items of the CTA's part. A warp walks together. A caller's schedule can
/// hold anything: the walk ends all the same, within the call's sequences. What
/// is quickly found anew is not kept: registers are few.
class Walk {
public:
  __device__ Walk(const AbsorbedCall &call, const AbsorbedParams &p, int real)
      : call(call), p(p), lanes(call.split().lanes()) {
    start = at = {};
    if (real <= 0 || part() >= call.split().parts())
      return;
    start = call.split().start(part());
    at = call.split().start(part() + 1);
    if (at.sequence >= p.seqs)
      at = {p.seqs, 0, 0};
    else if (at.sequence >= 0)
      arriveAt(at.sequence);
  }

  /// The next item; false at the end.
  __device__ bool next(Item &item) {
    while (start < at && at.sequence >= 0) {
      int blockEnd = at.block;
      if (blockEnd <= 0) {
        if (at.item <= 0) {
          if (at.sequence == 0)
            break;
          at = {at.sequence - 1, INT32_MAX, 0};
          arriveAt(at.sequence);
          continue;
        }
        --at.item;
        blockEnd = blocks();
      }
      at.block = 0;
      int tile = at.item * lanes + lane();
      if (tile < rowTiles()) {
        enter(item, tile, min(blockEnd, blocks()));
        return true;
      }
    }
    item.rows = 0;
    return false;
  }

  Sequence seq; ///< Of the item.

private:
  __device__ int part() const { return static_cast<int>(blockIdx.x) / lanes; }
  __device__ int lane() const { return static_cast<int>(blockIdx.x) % lanes; }
  __device__ int64_t numRows() const {
    return static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
  }
  __device__ int rowTiles() const {
    return static_cast<int>((numRows() + tileRows - 1) / tileRows);
  }
  __device__ int blocks() const {
    return (seq.length + blockKeys - 1) / blockKeys;
  }

  /// Looks at a sequence, and leaves out items that it doesn't have.
  __device__ void arriveAt(int sequence) {
    seq = call.sequence(sequence);
    int items = Split::itemsOf(rowTiles(), lanes);
    if (at.item < 0 || at.item >= items)
      at = {sequence, at.item < 0 ? 0 : items, 0};
  }

  __device__ void enter(Item &item, int tile, int blockEnd) {
    setPlace(item, blockEnd == blocks());
    bool continues = startsWithin(start, at);
    item.batch = at.sequence;
    item.blockBegin = continues ? min(start.block, blockEnd) : 0;
    int64_t first = static_cast<int64_t>(tile) * tileRows;
    item.rows = static_cast<int>(
        min(numRows() - first, static_cast<int64_t>(tileRows)));
    item.token = seq.tokenBegin + static_cast<int>(first / p.heads);
    item.head = static_cast<int>(first % p.heads);
    int last = item.token + (item.head + item.rows - 1) / p.heads;
    int most = 0, least = INT32_MAX;
    for (int t = item.token + threadIdx.x % 32; t <= last; t += 32) {
      int bound = call.visible(seq, t);
      most = max(most, bound);
      least = min(least, bound);
    }
    item.mostSeen = __reduce_max_sync(~0u, most);
    item.leastSeen = __reduce_min_sync(~0u, least);
    int seen = (item.mostSeen + blockKeys - 1) / blockKeys;
    item.blockEnd = max(min(blockEnd, seen), item.blockBegin);
  }

  /// Where the item's state goes. Both CTAs of a tile of two parts ask the
  /// schedule the same.
  __device__ void setPlace(Item &item, bool ends) {
    int cta = blockIdx.x;
    bool begins = !startsWithin(start, at);
    item.slot = begins && ends ? -1 : 2 * cta + (begins ? 1 : 0);
    item.told = item.other = -1;
    Split split = call.split();
    Cursor end = split.start(part() + 1);
    bool goesOn = startsWithin(end, at);
    if (begins && !ends && goesOn && part() + 1 < split.parts()) {
      Cursor behind = split.start(part() + 2);
      if (end < behind && !startsWithin(behind, at))
        item.told = cta + lanes;
    }
    if (!begins && !goesOn && start.block < blocks() && part() > 0 &&
        !(at < split.start(part() - 1))) {
      item.slot = -1;
      item.other = 2 * (cta - lanes) + 1;
    }
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  int lanes;
  Cursor start, at; ///< Items from `at` on were taken.
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90WALK_H
