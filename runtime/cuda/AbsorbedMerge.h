//===- AbsorbedMerge.h - Merges the partial states of split tiles ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A tile that is split has as many states as it has parts, its pieces. Of few
// pieces each warp of a CTA has a row to itself; of many the warps share a row,
// each with some of its pieces, and their sums are added in the warps' order.
// What a CTA's warps have at once is a group of rows; a unit of work is such a
// group, or some of its columns where there are few groups. The CTAs deal the
// units of all split tiles among themselves.
//
// The order of a row's sums depends on its pieces alone: so do the results'
// bits, whichever kernel merges, however many CTAs it has. Where a product is
// added to a product it is said which one is rounded.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMERGE_H
#define MLA_RUNTIME_CUDA_ABSORBEDMERGE_H

#include "AbsorbedSplitItems.h"

namespace mla {
namespace cuda {
namespace absorbed_merge {

constexpr int mergeThreads = 32 * numWarps;
constexpr int vectorColumns = 128; ///< Of a warp at once: four of a lane.
constexpr int mostVectors = maxSlotColumns / vectorColumns;
/// Pieces that a warp weighs together: an eighth of as many parts as an H100
/// has multiprocessors, and one more.
constexpr int chunkPieces = 18;

/// sum += weight * values
__device__ inline void addTo(float4 &sum, float weight, float4 values) {
  sum.x = fmaf(weight, values.x, sum.x), sum.y = fmaf(weight, values.y, sum.y);
  sum.z = fmaf(weight, values.z, sum.z), sum.w = fmaf(weight, values.w, sum.w);
}
__device__ inline void scaleBy(float4 &sum, float factor) {
  sum.x = __fmul_rn(sum.x, factor), sum.y = __fmul_rn(sum.y, factor);
  sum.z = __fmul_rn(sum.z, factor), sum.w = __fmul_rn(sum.w, factor);
}
/// Of what has this lse, log2: 0 of nothing.
__device__ inline float weightOf(float lse, float top) {
  return lse == minusInfinity() ? 0 : exp2f(lse - top);
}

/// What the warps have of a unit: by warp and lane the sums of weighted states
/// of each vector of columns, and by warp what they are relative to, log2, and
/// the sum of the weights.
struct UnitSums {
  float4 sums[mostVectors][numWarps][32];
  float2 weights[numWarps];
  /// Of the pieces that a warp has under way: their lses, then their weights.
  /// Lanes read them here: a shuffle where a branch was before takes as much
  /// code as ten reads.
  float4 pieces[numWarps][8];
};

/// The threads of `Warps`, a Team, together. Output writes four columns: its
/// store(call, p, t, h, column, values); whether all rows are countsIn32Bits;
/// the tileRows() of a tile. Of few pieces `VectorsAtOnce` vectors are under
/// way at once; of many two batches of `BatchPieces`.
template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
class Merge {
  static_assert(Warps::warps == numWarps);
  static constexpr int batchesOfChunk = chunkPieces / BatchPieces;
  static_assert(chunkPieces % BatchPieces == 0);

public:
  __device__ Merge(const AbsorbedCall &call, const AbsorbedParams &p,
                   const SplitItems &items, UnitSums &shared, int thread)
      : call(call), p(p), items(items), shared(shared), warp(thread / 32),
        lane(thread % 32),
        vectors((p.latentWidth + vectorColumns - 1) / vectorColumns) {
    // A unit has few columns where there are few groups.
    unsigned all = items.groups * vectors, ctas = gridDim.x;
    int logEach = all > 2 * ctas ? 2 : all > ctas ? 1 : 0;
    vectorsEach = 1 << logEach;
    unitsOfGroup = (vectors + vectorsEach - 1) >> logEach;
    units = items.groups * unitsOfGroup;
  }

  /// Merges the CTA's units. All call `wait(unit, step)` once they know what
  /// the first unit is if each CTA merges: when it returns the states are
  /// there. It may tell that the first unit is another one, and how far apart
  /// units are.
  template <typename Wait> __device__ void run(Wait wait) {
    int unit = blockIdx.x, step = gridDim.x;
    bool waits = true;
#pragma unroll 1
    while (waits || unit < units) {
      Place place = locate(min(unit, units - 1));
      if (waits) {
        waits = false;
        if (wait(unit, step) || unit >= units)
          continue;
      }
      // The sums of the unit before were read.
      Warps::sync();
      merge(place);
      unit += step;
    }
  }

private:
  /// What a warp has to do of a unit.
  struct Place {
    const float *states; ///< Of the first piece: the row's, the lane's columns.
    const float *lses;   ///< The same piece's and row's.
    int pieces;
    int logShare;    ///< log2 of the warps that have the row.
    int count;       ///< Vectors of columns; 0: there is no such row.
    int column;      ///< The lane's first.
    int token, head; ///< The row.
  };

  struct Batch {
    float4 values[BatchPieces];
    float lse; ///< Of the lane's piece, of the batch's chunk.
  };

  __device__ Place locate(int unit) const;
  __device__ void merge(const Place &place);
  __device__ void sumFew(const Place &place);
  __device__ void sumMany(const Place &place);
  __device__ void finish(const Place &place);

  /// Where piece `i` of a tile lies, from its first one on, which is what its
  /// CTA left unfinished, in its second slot.
  __device__ int offset(int i) const {
    return (2 * items.lanes * i - (i > 0)) * static_cast<int>(slotFloats);
  }
  __device__ void put(int vector, float4 sum, float top, float total) {
    shared.sums[vector][warp][lane] = sum;
    if (lane == 0)
      shared.weights[warp] = {top, total};
  }

  __device__ const float *pieceNumbers() const {
    return reinterpret_cast<const float *>(shared.pieces[warp]);
  }
  /// Leaves the lanes' values in pieceNumbers().
  __device__ void tell(float value) {
    __syncwarp();
    reinterpret_cast<float *>(shared.pieces[warp])[lane] = value;
    __syncwarp();
  }
  /// The greatest of the lanes' values, and their sum; tells them. The sum is
  /// that of halves of halves.
  __device__ float maximumOf(float value) {
    tell(value);
    float most = pieceNumbers()[0];
#pragma unroll
    for (int i = 1; i < chunkPieces; ++i)
      most = fmaxf(most, pieceNumbers()[i]);
    return most;
  }
  __device__ float sumOf(float value) {
    tell(value);
    float sums[16];
    static_assert(chunkPieces == 18, "the others are 0");
#pragma unroll
    for (int i = 0; i < 16; ++i)
      sums[i] = pieceNumbers()[i];
    sums[0] += pieceNumbers()[16], sums[1] += pieceNumbers()[17];
#pragma unroll
    for (int i = 0; i < 8; ++i)
      sums[i] += sums[i + 8];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      sums[i] += sums[i + 4];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  const SplitItems &items;
  UnitSums &shared;
  const int warp, lane;
  const int vectors; ///< Of a row.
  int vectorsEach;   ///< Of a unit.
  int unitsOfGroup, units;
};

template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
__device__ auto
Merge<Warps, Output, VectorsAtOnce, BatchPieces>::locate(int unit) const
    -> Place {
  unsigned group = static_cast<unsigned>(unit) / unitsOfGroup;
  int firstVector = (unit - group * unitsOfGroup) * vectorsEach;
  int part = items.partOf(group);
  SplitItem item = items.items[part];
  int place = group - (part > 0 ? items.items[part - 1].groupsEnd : 0);

  Place result;
  result.pieces = item.pieces;
  result.logShare = logWarpsOfRow(item.pieces);
  unsigned row = (place * numWarps + warp) >> result.logShare;
  unsigned tileRows = Output::tileRows(p), tile = row / tileRows;
  unsigned rowOfTile = row - tile * tileRows;
  bool exists = row < static_cast<unsigned>(item.rows);
  result.count = exists ? min(vectorsEach, vectors - firstVector) : 0;
  result.column = firstVector * vectorColumns + lane * 4;
  int cta = (part - 1) * items.lanes + tile;
  const float *first = p.slots + (2 * cta + 1) * slotFloats;
  result.states = first + rowOfTile * maxSlotColumns + result.column;
  result.lses = first + maxTileRows * maxSlotColumns + rowOfTile;

  // Of the sequence's rows, or the token's.
  int64_t at = static_cast<int64_t>(items.starts[part].item) * items.lanes *
                   static_cast<int>(tileRows) +
               row;
  auto heads = static_cast<unsigned>(p.heads);
  if (Output::countsIn32Bits || at <= UINT32_MAX) { // short code
    unsigned low = static_cast<unsigned>(at), tokens = low / heads;
    result.token = item.firstToken + static_cast<int>(tokens);
    result.head = static_cast<int>(low - tokens * heads);
  } else {
    result.token = item.firstToken + static_cast<int>(at / heads);
    result.head = static_cast<int>(at % heads);
  }
  return result;
}

/// Adds what the warps that share a row have, in their order, each some of the
/// vectors, and writes the row.
template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
__device__ void
Merge<Warps, Output, VectorsAtOnce, BatchPieces>::finish(const Place &place) {
  int share = 1 << place.logShare, member = warp & (share - 1);
  int first = warp - member;
  // Lane i finds what warp i's sums are to be multiplied by, and what is those
  // of the warps before it, which are relative to `before`.
  float most = minusInfinity(), before = most, top = most, own = most;
#pragma unroll
  for (int i = 0; i < numWarps; ++i) {
    float other = i < share ? shared.weights[first + i].x : minusInfinity();
    most = fmaxf(most, other);
    before = i < lane ? most : before;
    top = i == lane ? most : top;
    own = i == lane ? other : own;
  }
  __syncwarp();
  auto *factors = reinterpret_cast<float2 *>(shared.pieces[warp]);
  if (lane < numWarps)
    factors[lane] = {weightOf(before, top), weightOf(own, top)};
  __syncwarp();
  float total = shared.weights[first].y;
#pragma unroll
  for (int i = 1; i < numWarps; ++i)
    if (i < share)
      total = fmaf(factors[i].y, shared.weights[first + i].y,
                   __fmul_rn(total, factors[i].x));

  float factor, lse = total != 0 ? most + log2f(total) : minusInfinity();
  lse = call.addSink(place.head, lse, factor);
  factor *= total != 0 ? 1 / total : 0;
  if (place.column == 0 && member == 0)
    call.storeLse(place.token, place.head, lse);
#pragma unroll 1
  for (int vector = member; vector < place.count; vector += share) {
    float4 sum = shared.sums[vector][first][lane];
#pragma unroll
    for (int i = 1; i < numWarps; ++i)
      if (i < share) {
        scaleBy(sum, factors[i].x);
        addTo(sum, factors[i].y, shared.sums[vector][first + i][lane]);
      }
    scaleBy(sum, factor);
    int column = place.column + vector * vectorColumns;
    if (column < p.latentWidth)
      Output::store(call, p, place.token, place.head, column, sum);
  }
}

template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
__device__ void
Merge<Warps, Output, VectorsAtOnce, BatchPieces>::merge(const Place &place) {
  if (place.pieces <= fewPieces)
    sumFew(place);
  else
    sumMany(place);
  if (place.logShare > 0)
    Warps::sync();
  else
    __syncwarp();
  if (place.count > 0)
    finish(place);
}

} // namespace absorbed_merge
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMERGE_H
