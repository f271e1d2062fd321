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

#include "AbsorbedHeader.h"
#include "sm90/AbsorbedSm90.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// Asks for what tells a CTA its items and their keys, beside what Walk asks
/// for: one question leads to the other, and each would wait for memory. By the
/// warps that load keys, which have nothing else to do yet.
__device__ inline void fetchEarly(const AbsorbedParams &p) {
  constexpr int threads = 32 * keyWarps;
  constexpr int sectorBytes = 32; ///< What is fetched at once.
  auto fetch = [](const void *from) {
    asm volatile("prefetch.global.L2 [%0];" : : "l"(from) : "memory");
  };
  // Of two tensors as much as pays in each CTA: all may need the same.
  constexpr int step = sectorBytes / sizeof(int64_t), most = 16 * threads;
#pragma unroll 1
  for (int i = threadIdx.x * step; i < min(p.seqs, most); i += threads * step) {
    fetch(p.cuQ.at(i));
    fetch(p.kvLens.at(i));
  }
  // Of the page table each CTA another piece.
  int64_t bytes = p.pageTable.shape[0] * p.pageTable.shape[1] * sizeof(int32_t);
  int64_t at =
      (static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x) * sectorBytes;
  bool isDense =
      p.pageTable.strides[1] == sizeof(int32_t) &&
      (p.pageTable.shape[0] == 1 ||
       p.pageTable.strides[0] ==
           p.pageTable.shape[1] * static_cast<int64_t>(sizeof(int32_t)));
  if (isDense && at < bytes)
    fetch(p.pageTable.data + at);
}

/// Whether a part that starts at `start` begins within the item of `tile`.
__device__ inline bool startsWithin(const Cursor &start, const Cursor &tile) {
  return start.block > 0 && start.sequence == tile.sequence &&
         start.item == tile.item;
}

/// The items of the CTA's part. A warp walks together. A caller's schedule can
/// hold anything: the walk ends all the same, within the call's sequences.
///
/// Little code, and few questions one after the other: until the first item is
/// known the CTA has nothing to do.
class Walk {
public:
  /// Asks for what tells the part. Its lanes are taken to be those of a call
  /// without padding, and looked at again.
  __device__ Walk(const AbsorbedCall &call, const AbsorbedParams &p)
      : call(call), p(p), header(p, p.schedule), lanes(p.shape.lanes),
        own(ask()), real(loadInt(p.cuQ, p.seqs)) {}

  /// Goes to the end of the part. To be called first.
  __device__ void begin() {
    start = at = end = {};
    if (!header.isUsable() || real <= 0)
      return;
    int actual = header.element(ScheduleLanes);
    if (actual != lanes) {
      lanes = actual;
      own = ask();
    }
    int parts = header.element(ScheduleParts);
    if (part() >= parts)
      return;
    Cursor before = neighbour(0), behind = neighbour(3);
    start = neighbour(1), end = neighbour(2);
    // Both CTAs of a tile of two parts ask the schedule the same.
    mayTell = part() + 1 < parts && end < behind && !startsWithin(behind, end);
    mayTake = part() > 0 && !(Cursor{start.sequence, start.item, 0} < before);
    at = end;
    if (at.sequence >= p.seqs)
      at = {p.seqs - 1, INT32_MAX, 0};
  }

  /// The next item; false at the end.
  __device__ bool next(Item &item) {
    while (start < at && at.sequence >= 0) {
      if (arrived != at.sequence) {
        arriveAt(at.sequence);
        continue;
      }
      int blockEnd = at.block;
      if (blockEnd <= 0) {
        if (at.item <= 0) {
          if (at.sequence == 0)
            break;
          at = {at.sequence - 1, INT32_MAX, 0};
          continue;
        }
        --at.item;
        blockEnd = blocks();
      }
      at.block = 0;
      int tile = at.item * lanes + lane();
      if (isPaired() || tile < rowTiles()) {
        enter(item, tile, min(blockEnd, blocks()));
        return true;
      }
    }
    item.isEnd = true;
    return false;
  }

  Sequence seq; ///< Of the item.

private:
  __device__ int part() const { return static_cast<int>(blockIdx.x) / lanes; }
  __device__ int lane() const { return static_cast<int>(blockIdx.x) % lanes; }
  __device__ bool isPaired() const { return arePaired(lanes); }
  /// At most all of the call's, which fitsAbsorbedSm90() knows to be few.
  __device__ int numRows() const {
    return (seq.tokenEnd - seq.tokenBegin) * p.heads;
  }
  __device__ int rowTiles() const {
    return static_cast<int>((static_cast<unsigned>(numRows()) + tileRows - 1) /
                            tileRows);
  }
  __device__ int blocks() const {
    return (seq.length + blockKeys - 1) / blockKeys;
  }

  /// Where the part before begins, this one, and the two behind: lane i has the
  /// i-th number.
  __device__ int ask() const {
    constexpr int numbers = 4 * 3;
    int i = threadIdx.x % 32;
    // Of part 0 what is before it is read, and not used.
    const char *from = p.schedule.at(ScheduleStarts + 3 * (part() - 1) + i);
    return i < numbers ? *reinterpret_cast<const int32_t *>(from) : 0;
  }
  __device__ Cursor neighbour(int i) const {
    return {__shfl_sync(~0u, own, 3 * i), __shfl_sync(~0u, own, 3 * i + 1),
            __shfl_sync(~0u, own, 3 * i + 2)};
  }

  /// Looks at a sequence, and leaves out items that it doesn't have.
  __device__ void arriveAt(int sequence) {
    arrived = sequence;
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
    int first = tile * tileRows;
    item.isPaired = isPaired();
    item.rows = max(min(numRows() - first, tileRows), 0);
    auto heads = static_cast<unsigned>(p.heads);
    unsigned tokens = first / heads;
    item.token = seq.tokenBegin + static_cast<int>(tokens);
    item.head = static_cast<int>(first - tokens * heads);
    // Paired CTAs take the blocks that either's rows see.
    unsigned begin = isPaired() ? first - lane() * tileRows : first;
    unsigned end = min(begin + (isPaired() ? 2 : 1) * tileRows,
                       static_cast<unsigned>(numRows()));
    setSeen(item, seq.tokenBegin + static_cast<int>(begin / heads),
            seq.tokenBegin + static_cast<int>((end - 1) / heads));
    int seen = (item.mostSeen + blockKeys - 1) / blockKeys;
    item.blockEnd = max(min(blockEnd, seen), item.blockBegin);
  }

  /// What the tokens `first` to `last` see.
  __device__ void setSeen(Item &item, int first, int last) const {
    if (!p.kvBounds) {
      item.mostSeen = call.visibleUnchecked(seq, last);
      item.leastSeen = call.visibleUnchecked(seq, first);
      return;
    }
    int most = 0, least = INT32_MAX;
    for (int t = first + threadIdx.x % 32; t <= last; t += 32) {
      int bound = call.visibleUnchecked(seq, t);
      most = max(most, bound);
      least = min(least, bound);
    }
    item.mostSeen = __reduce_max_sync(~0u, most);
    item.leastSeen = __reduce_min_sync(~0u, least);
  }

  /// Where the item's state goes.
  __device__ void setPlace(Item &item, bool ends) const {
    int cta = blockIdx.x;
    bool begins = !startsWithin(start, at), goesOn = startsWithin(end, at);
    item.slot = begins && ends ? -1 : 2 * cta + (begins ? 1 : 0);
    item.told = item.other = -1;
    if (begins && !ends && goesOn && mayTell)
      item.told = cta + lanes;
    if (!begins && !goesOn && start.block < blocks() && mayTake) {
      item.slot = -1;
      item.other = 2 * (cta - lanes) + 1;
    }
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  AbsorbedHeader header;
  int lanes, own;
  int64_t real;          ///< Tokens that aren't padding, as cu_q has it.
  Cursor start, at, end; ///< Items from `at` on were taken.
  int arrived = -1;      ///< The sequence that `seq` is.
  /// A tile that this CTA begins and the next one ends, and the reverse.
  bool mayTell, mayTake;
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90WALK_H
