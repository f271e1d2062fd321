//===- AbsorbedSplitItems.h - What there is to merge ----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Each CTA that merges finds all tiles that are split, a thread per part, so
// that it waits for three reads, one after the other, however many parts there
// are.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H
#define MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H

#include "AbsorbedHeader.h"

namespace mla {
namespace cuda {
namespace absorbed_merge {

/// Whole warps of a block, which wait for each other at one of its barriers.
template <int Threads, int Barrier> struct Team {
  static constexpr int threads = Threads, warps = Threads / 32;
  static __device__ void sync() { syncThreads(Barrier, Threads); }
};

/// Warps of a CTA that merge.
constexpr int numWarps = 8;

/// What part j goes on with, where that is a tile that the part before began.
struct SplitItem {
  int groupsEnd; ///< Groups of rows of this and of all parts before.
  int pieces;
  int firstToken; ///< Of the sequence, or the token with indices.
  int rows;       ///< Of the item: of as many tiles as there are lanes.
};

/// Of so few pieces a warp has those of several columns under way at once.
constexpr int fewPieces = 4;

/// log2 of the warps that share a row: each gets about eight pieces, of many
/// pieces more.
__device__ inline int logWarpsOfRow(int pieces) {
  static_assert(numWarps == 8, "as many as share a row of many pieces");
  return pieces <= 8 ? 0 : pieces <= 16 ? 1 : pieces <= 32 ? 2 : 3;
}

/// The split items of a call, in the CTA's shared memory.
class SplitItems {
public:
  __device__ SplitItems(char *shared, int numCTAs)
      : starts(reinterpret_cast<Cursor *>(shared)),
        items(reinterpret_cast<SplitItem *>(starts + numCTAs + 1)),
        ends(reinterpret_cast<uint32_t *>(items + numCTAs)),
        sums(reinterpret_cast<int *>(ends + (numCTAs + 31) / 32)) {}

  /// Bytes of that memory.
  static constexpr int bytes(int numCTAs) {
    return (numCTAs + 1) * static_cast<int>(sizeof(Cursor)) +
           numCTAs * static_cast<int>(sizeof(SplitItem)) +
           ((numCTAs + 31) / 32 + numWarps) * static_cast<int>(sizeof(int));
  }

  /// The part that has group `group` of rows, which exists. By a whole warp.
  __device__ int partOf(int group) const {
    int part = 0, lane;
    asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane)); // kept for nobody
#pragma unroll 1
    for (int first = 0; first < parts; first += 32) {
      int i = first + lane;
      part +=
          __popc(__ballot_sync(~0u, i < parts && items[i].groupsEnd <= group));
    }
    return part;
  }

  int lanes = 0, parts = 0;
  /// Groups of rows of all items: each is what the warps that merge have at
  /// once.
  int groups = 0;
  Cursor *starts;   ///< Of each part.
  SplitItem *items; ///< Of each part.
  uint32_t *ends;   ///< A bit of each part, see FindSplitItems.
  int *sums;        ///< Of each warp that finds.
};

/// Fills in the split items of a call, with indices or without. All threads of
/// a Finders team call the same.
template <bool Indexed, typename Finders> class FindSplitItems {
public:
  __device__ FindSplitItems(const AbsorbedParams &p, SplitItems &to, int thread)
      : p(p), call(p), split(call.split(Indexed ? realTokens() : 0)), to(to),
        thread(thread) {
    static_assert(Finders::warps <= numWarps, "there are so many sums");
  }

  /// Reads where all parts start, as many as there can be, beside what tells
  /// how many there are; false where there is nothing to merge.
  __device__ bool load();
  /// The same, where a schedule and what it begins with is known to be usable.
  __device__ void load(int lanes, int parts);

  /// Finds the items.
  __device__ void run();

private:
  __device__ bool goesOn(int part) const;
  __device__ int piecesFrom(int part) const;
  __device__ SplitItem itemOf(int part) const;
  __device__ int groupsBefore(int own, int &all) const;

  /// What isn't of these the attention itself records.
  __device__ int realTokens() const {
    return call.realTokensUnchecked(loadInt(p.cuQ, p.seqs));
  }

  /// split.start(), which needn't know both cases.
  __device__ Cursor startOf(int part) const {
    if (Indexed)
      return split.start(part, to.parts);
    const char *from = p.schedule.at(ScheduleStarts + 3 * part);
    int64_t stride = p.schedule.strides[0];
    return {*reinterpret_cast<const int32_t *>(from),
            *reinterpret_cast<const int32_t *>(from + stride),
            *reinterpret_cast<const int32_t *>(from + 2 * stride)};
  }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  const Split split;
  SplitItems &to;
  const int thread;
};

template <bool Indexed, typename Finders>
__device__ bool FindSplitItems<Indexed, Finders>::load() {
  AbsorbedHeader header(p, p.callersSchedule);
  // More than there are of what a schedule holds is read, and not used.
  to.lanes =
      Indexed
          ? split.lanes()
          : *reinterpret_cast<const int32_t *>(p.schedule.at(ScheduleLanes));
  to.parts =
      Indexed
          ? split.parts()
          : *reinterpret_cast<const int32_t *>(p.schedule.at(ScheduleParts));
#pragma unroll 1
  for (int i = thread; i <= p.shape.numCTAs; i += Finders::threads)
    to.starts[i] = startOf(i);
  bool usable = header.isUsable();
  Finders::sync();
  return usable;
}

template <bool Indexed, typename Finders>
__device__ void FindSplitItems<Indexed, Finders>::load(int lanes, int parts) {
  static_assert(sizeof(Cursor) == 3 * sizeof(int32_t), "as in a schedule");
  to.lanes = lanes, to.parts = parts;
  auto *numbers = reinterpret_cast<int32_t *>(to.starts);
#pragma unroll 4
  for (int i = thread; i < 3 * (parts + 1); i += Finders::threads)
    numbers[i] =
        *reinterpret_cast<const int32_t *>(p.schedule.at(ScheduleStarts + i));
  Finders::sync();
}

/// Whether part `part` and the one before both begin within the same tile.
template <bool Indexed, typename Finders>
__device__ bool FindSplitItems<Indexed, Finders>::goesOn(int part) const {
  if (part == 0 || part >= to.parts)
    return false;
  Cursor start = to.starts[part], before = to.starts[part - 1];
  return start.block > 0 && before.block > 0 &&
         start.sequence == before.sequence && start.item == before.item;
}

/// Pieces of the tile that part `part` is the first to go on with; bit j of
/// `ends` says that part j doesn't go on with the tile of the part before.
template <bool Indexed, typename Finders>
__device__ int FindSplitItems<Indexed, Finders>::piecesFrom(int part) const {
  int word = part / 32;
  uint32_t bits = to.ends[word] & ~((2u << part % 32) - 1);
  while (bits == 0 && word < (to.parts - 1) / 32)
    bits = to.ends[++word];
  int end = bits ? word * 32 + __ffs(bits) - 1 : to.parts;
  return min(end, to.parts) - part + 1;
}

/// The item in which part `part` starts, if the part before has its first
/// block; else it has no rows.
template <bool Indexed, typename Finders>
__device__ SplitItem FindSplitItems<Indexed, Finders>::itemOf(int part) const {
  SplitItem none = {};
  if (part == 0 || part >= to.parts)
    return none;
  Cursor start = to.starts[part], tile{start.sequence, start.item, 0};
  if (start.block <= 0 || start.item < 0 || tile < to.starts[part - 1])
    return none;
  SplitItem item = {};
  int64_t rows = 0;
  if constexpr (Indexed) {
    item.firstToken = tile.sequence;
    // All that have items are real.
    rows = call.sequenceOf(tile.sequence) >= 0 ? p.heads : 0;
  } else {
    if (tile.sequence < 0 || tile.sequence >= p.seqs)
      return none;
    Sequence seq = call.sequence(tile.sequence);
    // Of a length that was refused, or isn't the schedule's, the tile was whole
    // where it began, and the slots hold another's.
    if (start.block > (seq.length - 1) / blockKeys)
      return none;
    item.firstToken = seq.tokenBegin;
    rows = static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
  }
  int64_t each = static_cast<int64_t>(to.lanes) * p.shape.tileRows;
  item.rows =
      static_cast<int>(max(min(rows - tile.item * each, each), int64_t(0)));
  return item;
}

/// The sum of `own` of the threads before this one; of `all` threads.
template <bool Indexed, typename Finders>
__device__ int FindSplitItems<Indexed, Finders>::groupsBefore(int own,
                                                              int &all) const {
  int warp = thread / 32, lane = thread % 32, sum = own;
  for (int step = 1; step < 32; step *= 2) {
    int other = __shfl_up_sync(~0u, sum, step);
    sum += lane >= step ? other : 0;
  }
  if (lane == 31)
    to.sums[warp] = sum;
  Finders::sync();
  int before = sum - own;
  all = 0;
#pragma unroll
  for (int i = 0; i < Finders::warps; ++i) {
    before += i < warp ? to.sums[i] : 0;
    all += to.sums[i];
  }
  Finders::sync();
  return before;
}

template <bool Indexed, typename Finders>
__device__ void FindSplitItems<Indexed, Finders>::run() {
#pragma unroll 1
  for (int part = thread; part - thread < to.parts; part += Finders::threads) {
    uint32_t bits = __ballot_sync(~0u, !goesOn(part));
    if (thread % 32 == 0 && part < to.parts)
      to.ends[part / 32] = bits;
  }
  Finders::sync();
  int groups = 0;
#pragma unroll 1
  for (int part = thread; part - thread < to.parts; part += Finders::threads) {
    SplitItem item = itemOf(part);
    int own = 0, all;
    if (item.rows > 0) {
      item.pieces = piecesFrom(part);
      own =
          ((item.rows << logWarpsOfRow(item.pieces)) + numWarps - 1) / numWarps;
      if (p.mergesPairs && item.pieces == 2)
        own = 0;
    }
    item.groupsEnd = groups + groupsBefore(own, all) + own;
    if (part < to.parts)
      to.items[part] = item;
    groups += all;
  }
  Finders::sync();
  to.groups = groups;
}

} // namespace absorbed_merge
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H
