//===- AbsorbedSplitItems.h - What there is to merge ----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Each CTA of the merge finds all tiles that are split, a thread per part, so
// that it waits for three reads, one after the other, however many parts there
// are.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H
#define MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H

#include "AbsorbedHeader.h"

namespace mla {
namespace cuda {
namespace absorbed_combine {

constexpr int numThreads = 256;
constexpr int numWarps = numThreads / 32;
constexpr int maxWords = (maxParts + numThreads) / 32;

/// What part j goes on with, where that is a tile that the part before began.
struct SplitItem {
  int unitsEnd; ///< Units of this and of all parts before.
  int pieces;
  int firstToken; ///< Of the sequence, or the token with indices.
  int rows;       ///< Of the item: of as many tiles as there are lanes.
};

/// Bytes of SplitItems' memory.
inline size_t splitItemsBytes(int numCTAs) {
  return (numCTAs + 1) * sizeof(Cursor) + numCTAs * sizeof(SplitItem);
}

/// The split items of a call, with indices or without, in the CTA's shared
/// memory.
template <bool Indexed> class SplitItems {
public:
  __device__ SplitItems(const AbsorbedParams &p, char *shared)
      : starts(reinterpret_cast<Cursor *>(shared)),
        items(reinterpret_cast<SplitItem *>(starts + p.shape.numCTAs + 1)),
        p(p), call(p), split(call.split(Indexed ? realTokens() : 0)) {}

  /// Reads where all parts start, as many as there can be, beside what tells
  /// how many there are; false where there is nothing to merge.
  __device__ bool load();

  /// Fills in the items; how many units they have, of which `unitsOf` an item
  /// tells.
  template <typename UnitsOf> __device__ int find(UnitsOf unitsOf);

  /// The part that has unit `unit` of find(), which there is: of a warp.
  __device__ int partOf(int unit) const;

  Cursor *const starts;   ///< Of each part.
  SplitItem *const items; ///< Of each part.
  int lanes, parts;

private:
  __device__ bool goesOn(int part) const;
  __device__ int piecesFrom(int part, const uint32_t *ends) const;
  __device__ SplitItem itemOf(int part) const;
  __device__ int unitsBefore(int thread, int own, int &all) const;

  /// What isn't of these the attention itself records.
  __device__ int realTokens() const {
    return call.realTokensUnchecked(loadInt(p.cuQ, p.seqs));
  }

  /// split.start(), which needn't know both cases.
  __device__ Cursor startOf(int part, const Split::Cut &cut) const {
    if (Indexed)
      return split.start(part, cut);
    const char *from = p.schedule.at(ScheduleStarts + 3 * part);
    int64_t stride = p.schedule.strides[0];
    return {*reinterpret_cast<const int32_t *>(from),
            *reinterpret_cast<const int32_t *>(from + stride),
            *reinterpret_cast<const int32_t *>(from + 2 * stride)};
  }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  const Split split;
};

template <bool Indexed> __device__ bool SplitItems<Indexed>::load() {
  AbsorbedHeader header(p, p.callersSchedule);
  // More than there are of what a schedule holds is read, and not used.
  lanes =
      Indexed
          ? split.lanes()
          : *reinterpret_cast<const int32_t *>(p.schedule.at(ScheduleLanes));
  Split::Cut cut = {};
  if (Indexed)
    cut = split.cut();
  else
    cut.parts =
        *reinterpret_cast<const int32_t *>(p.schedule.at(ScheduleParts));
  parts = static_cast<int>(cut.parts);
#pragma unroll 1
  for (int i = threadIdx.x; i <= p.shape.numCTAs; i += numThreads)
    starts[i] = startOf(i, cut);
  bool usable = header.isUsable();
  __syncthreads();
  return usable;
}

/// Whether part `part` and the one before both begin within the same tile.
template <bool Indexed>
__device__ bool SplitItems<Indexed>::goesOn(int part) const {
  if (part == 0 || part >= parts)
    return false;
  Cursor start = starts[part], before = starts[part - 1];
  return start.block > 0 && before.block > 0 &&
         start.sequence == before.sequence && start.item == before.item;
}

/// Pieces of the tile that part `part` is the first to go on with; bit j of
/// `ends` says that part j doesn't go on with the tile of the part before.
template <bool Indexed>
__device__ int SplitItems<Indexed>::piecesFrom(int part,
                                               const uint32_t *ends) const {
  int word = part / 32;
  uint32_t bits = ends[word] & ~((2u << part % 32) - 1);
  while (bits == 0 && word < (parts - 1) / 32)
    bits = ends[++word];
  int end = bits ? word * 32 + __ffs(bits) - 1 : parts;
  return min(end, parts) - part + 1;
}

/// The item in which part `part` starts, if the part before has its first
/// block; else it has no rows.
template <bool Indexed>
__device__ SplitItem SplitItems<Indexed>::itemOf(int part) const {
  SplitItem none = {};
  if (part == 0 || part >= parts)
    return none;
  Cursor start = starts[part], tile{start.sequence, start.item, 0};
  if (start.block <= 0 || start.item < 0 || tile < starts[part - 1])
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
  int64_t each = static_cast<int64_t>(lanes) * p.shape.tileRows;
  item.rows =
      static_cast<int>(max(min(rows - tile.item * each, each), int64_t(0)));
  return item;
}

/// The sum of `own` of the threads before this one; of `all` threads.
template <bool Indexed>
__device__ int SplitItems<Indexed>::unitsBefore(int thread, int own,
                                                int &all) const {
  __shared__ int sums[numWarps];
  int warp = thread / 32, lane = thread % 32, sum = own;
  for (int step = 1; step < 32; step *= 2) {
    int other = __shfl_up_sync(~0u, sum, step);
    sum += lane >= step ? other : 0;
  }
  if (lane == 31)
    sums[warp] = sum;
  __syncthreads();
  int before = sum - own;
  all = 0;
#pragma unroll
  for (int i = 0; i < numWarps; ++i) {
    before += i < warp ? sums[i] : 0;
    all += sums[i];
  }
  __syncthreads();
  return before;
}

template <bool Indexed>
template <typename UnitsOf>
__device__ int SplitItems<Indexed>::find(UnitsOf unitsOf) {
  __shared__ uint32_t ends[maxWords];
  int thread = threadIdx.x;
  for (int part = thread; part - thread < parts; part += numThreads) {
    uint32_t bits = __ballot_sync(~0u, !goesOn(part));
    if (thread % 32 == 0)
      ends[part / 32] = bits;
  }
  __syncthreads();
  int units = 0;
  for (int part = thread; part - thread < parts; part += numThreads) {
    SplitItem item = itemOf(part);
    int own = 0, all;
    if (item.rows > 0) {
      item.pieces = piecesFrom(part, ends);
      own = unitsOf(item);
    }
    item.unitsEnd = units + unitsBefore(thread, own, all) + own;
    if (part < parts)
      items[part] = item;
    units += all;
  }
  __syncthreads();
  return units;
}

/// The first part up to which there are more units. Bisection would wait for
/// each step.
template <bool Indexed>
__device__ int SplitItems<Indexed>::partOf(int unit) const {
  // By way of `this` the code would be longer.
  const SplitItem *const all = items;
  int lane = threadIdx.x % 32;
  for (int first = 0;; first += 32) {
    int part = min(first + lane, parts - 1);
    if (uint32_t found = __ballot_sync(~0u, all[part].unitsEnd > unit))
      return first + __ffs(found) - 1;
  }
}

} // namespace absorbed_combine
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDSPLITITEMS_H
