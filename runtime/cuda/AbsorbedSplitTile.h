//===- AbsorbedSplitTile.h - What a CTA of the merge has to merge ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Each part of the split has CTAs of the merge of its own, as many as it has
// lanes, some times. They merge the tile that the part goes on with, together
// with those of the tile's other parts, or else the tile that it begins and
// others go on with: so each CTA has about as much to read as a state, and
// knows what it is from where the parts begin.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDSPLITTILE_H
#define MLA_RUNTIME_CUDA_ABSORBEDSPLITTILE_H

#include "AbsorbedHeader.h"

namespace mla {
namespace cuda {
namespace absorbed_combine {

constexpr int numThreads = 256;
constexpr int numWarps = numThreads / 32;
constexpr int ctasEach = 2; ///< On a multiprocessor.

/// A tile of an item, or as many side by side as there are lanes, that is
/// split.
struct SplitTile {
  int first;      ///< The part that has its first piece, in its second slot.
  int pieces;     ///< Further ones are in the first slots of the parts behind.
  int item;       ///< Of its sequence, or token.
  int firstToken; ///< Of the sequence, or the token with indices.
  int rows;       ///< Of all tiles side by side.
  int lanes;      ///< How many those may be.
  /// Of the CTAs that merge it, which one this is.
  int share, shares;
};

/// Bytes of FindSplitTile's memory.
inline size_t splitTileBytes(int numCTAs) {
  return (numCTAs + 1) * sizeof(Cursor);
}

/// Finds the CTA's tile, if it is of `FewestPieces` or more. With indices or
/// without.
template <bool Indexed, int FewestPieces> class FindSplitTile {
public:
  __device__ FindSplitTile(const AbsorbedParams &p, char *shared)
      : p(p), call(p), split(call.split(Indexed ? realTokens() : 0)),
        starts(reinterpret_cast<Cursor *>(shared)) {}

  /// False where there is none. By all threads.
  __device__ bool find(SplitTile &tile);

private:
  __device__ bool load();

  /// Whether part `part` begins within the item of `tile`.
  __device__ bool isWithin(int part, const Cursor &tile) const {
    Cursor start = starts[part];
    return part < parts && start.block > 0 && start.sequence == tile.sequence &&
           start.item == tile.item;
  }
  /// Whether the tile that part `part` goes on with is to be merged.
  __device__ bool goesOn(int part) const {
    if (part <= 0 || part >= parts || starts[part].block <= 0)
      return false;
    return FewestPieces == 2 || isWithin(part - 1, starts[part]) ||
           isWithin(part + 1, starts[part]);
  }
  /// Whether the tile is, unless it is the same, that the part behind goes on
  /// with.
  __device__ bool begins(int part) const {
    if (part + 1 >= parts || starts[part + 1].block <= 0)
      return false;
    return FewestPieces == 2 || isWithin(part + 2, starts[part + 1]);
  }

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
  Cursor *const starts; ///< Of each part, and the end.
  int lanes, parts;
};

/// Reads where all parts start, as many as there can be, beside what tells how
/// many there are; false where there is nothing to merge.
template <bool Indexed, int FewestPieces>
__device__ bool FindSplitTile<Indexed, FewestPieces>::load() {
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

template <bool Indexed, int FewestPieces>
__device__ bool FindSplitTile<Indexed, FewestPieces>::find(SplitTile &tile) {
  if (!load())
    return false;
  int each = ctasEach * lanes, cta = static_cast<int>(blockIdx.x);
  int part = static_cast<unsigned>(cta) / static_cast<unsigned>(each);
  bool continues = goesOn(part);
  if (part >= parts || (!continues && !begins(part)))
    return false;
  const Cursor any = starts[part + !continues];
  // Asked for before it is known which parts have the tile.
  Sequence seq = {};
  int64_t rows = 0;
  if constexpr (Indexed) {
    tile.firstToken = any.sequence;
    // All that have items are real.
    rows = call.sequenceOf(any.sequence) >= 0 ? p.heads : 0;
  } else {
    if (any.sequence < 0 || any.sequence >= p.seqs)
      return false;
    seq = call.sequence(any.sequence);
  }
  // Of those up to this part, and of those behind.
  int upTo = 0, behind = 0;
#pragma unroll 1
  for (int i = threadIdx.x; i - static_cast<int>(threadIdx.x) < parts;
       i += numThreads) {
    bool within = i < parts && isWithin(i, any);
    upTo += __syncthreads_count(within && i <= part);
    behind += __syncthreads_count(within && i > part);
  }
  int second = continues ? part - upTo + 1 : part + 1;
  int last = part + behind;
  if (second < 1 || any.item < 0)
    return false;
  // Of starts in another order the slots may hold anything.
  if (Cursor{any.sequence, any.item, 0} < starts[second - 1])
    return false;
  if constexpr (!Indexed) {
    // Of a length that was refused, or isn't the schedule's, the tile was whole
    // where it began, and the slots hold another's.
    if (starts[second].block > (seq.length - 1) / blockKeys)
      return false;
    tile.firstToken = seq.tokenBegin;
    rows = static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
  }
  tile.first = second - 1, tile.pieces = last - second + 2;
  tile.item = any.item, tile.lanes = lanes;
  int64_t most = static_cast<int64_t>(lanes) * p.shape.tileRows;
  tile.rows =
      static_cast<int>(max(min(rows - tile.item * most, most), int64_t(0)));
  int begin = goesOn(second - 1) ? second : second - 1;
  // Where there is less to do than they could, each part has some of it.
  int sharing = last - begin + 1;
  tile.share = (cta - part * each) * sharing + part - begin;
  tile.shares = sharing * each;
  return true;
}

} // namespace absorbed_combine
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDSPLITTILE_H
