//===- AbsorbedCombine.cu - Merges the partial states of split tiles ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A tile that is split has as many states as it has parts, its pieces. A unit
// of work is one or more rows of a tile's item, or 128 columns of them: of few
// pieces each warp of a CTA has a row to itself; of many the warps share a row,
// each with some of its pieces, and their sums are added in the warps' order.
//
// Where there is little to merge it is latency that counts. Each CTA finds its
// tile itself (AbsorbedSplitTile.h), and a warp has its pieces' states under
// way together with what they weigh.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedSplitTile.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::absorbed_combine;

namespace {

constexpr int unitColumns = 128; ///< Of a warp: four of a lane.
/// Of so few pieces a warp has all columns of a row under way at once.
constexpr int fewPieces = 4;
/// Groups of columns that a warp has under way of an item of few pieces.
constexpr int groupsAtOnce = 2;
/// States that a lane has under way: an eighth of as many parts as an H100 has
/// multiprocessors.
constexpr int piecesAtOnce = 17;

/// Warps that share a row: as many as have all its pieces under way at once, if
/// there are so many.
__device__ inline int warpsOfRow(int pieces) {
  return pieces <= piecesAtOnce       ? 1
         : pieces <= 2 * piecesAtOnce ? 2
         : pieces <= 4 * piecesAtOnce ? 4
                                      : numWarps;
}

/// A sum of weighted states and of the weights, relative to `top`, log2.
struct Merged {
  float4 sum;
  float top, total;

  static __device__ Merged nothing() {
    return {{0, 0, 0, 0}, minusInfinity(), 0};
  }
  __device__ void add(float weight, float4 values) {
    sum.x += weight * values.x, sum.y += weight * values.y;
    sum.z += weight * values.z, sum.w += weight * values.w;
  }
  /// Makes all relative to `next`, which isn't less.
  __device__ void rescale(float next) {
    float factor = weightOf(top, next);
    sum.x *= factor, sum.y *= factor, sum.z *= factor, sum.w *= factor;
    total *= factor, top = next;
  }
  /// Of what has this lse: 0 of nothing.
  static __device__ float weightOf(float lse, float top) {
    return lse == minusInfinity() ? 0 : exp2f(lse - top);
  }
};

template <bool Indexed> class Combine {
public:
  __device__ Combine(const AbsorbedParams &p, const SplitTile &tile)
      : p(p), call(p), tile(tile),
        columnGroups((p.latentWidth + unitColumns - 1) / unitColumns),
        warp(threadIdx.x / 32), lane(threadIdx.x % 32) {}

  __device__ void run() const {
    int units = (tile.rows * warpsOfRow(tile.pieces) + numWarps - 1) /
                numWarps * (tile.pieces <= fewPieces ? 1 : columnGroups);
    for (int unit = tile.share; unit < units; unit += tile.shares)
      merge(unit);
  }

private:
  __device__ void merge(int unit) const;
  __device__ void mergeFew(int row) const;
  __device__ Merged mergeRow(int row, int member, int share, int column) const;
  __device__ void store(int row, int column, const Merged &merged) const;

  /// Piece `i` of the tile whose first one has its state at `first`.
  __device__ const float *piece(const float *first, int i) const {
    // The first piece is what its CTA left unfinished, in its second slot.
    return first + (2 * tile.lanes * i - (i > 0)) * slotFloats;
  }
  __device__ int tileRows() const { return p.shape.tileRows; }
  /// Where the first piece of the tile that has row `row` has its state.
  __device__ const float *firstPiece(int row) const {
    int cta = tile.first * tile.lanes + row / tileRows();
    return p.slots + (2 * cta + 1) * slotFloats;
  }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  const SplitTile &tile;  ///< In shared memory: registers are rare.
  const int columnGroups; ///< Of a row: so many units have it.
  const int warp, lane;
};

/// Of row `row` the pieces member, member + share, ..., four columns a lane.
template <bool Indexed>
__device__ Merged Combine<Indexed>::mergeRow(int row, int member, int share,
                                             int column) const {
  const float *first = firstPiece(row);
  int count = (tile.pieces - member + share - 1) / share;
  row %= tileRows();
  const float *states = first + row * maxSlotColumns + column;
  const float *lses = first + maxTileRows * maxSlotColumns + row;
  Merged merged = Merged::nothing();
#pragma unroll 1
  for (int begin = 0; begin < count; begin += piecesAtOnce) {
    int now = min(count - begin, piecesAtOnce);
    auto index = [&](int k) { return member + (begin + k) * share; };
    float lse = lane < now ? *piece(lses, index(lane)) : minusInfinity();
    float4 values[piecesAtOnce];
#pragma unroll
    for (int k = 0; k < piecesAtOnce; ++k)
      if (k < now)
        values[k] = *reinterpret_cast<const float4 *>(piece(states, index(k)));
    float top = lse;
#pragma unroll
    for (int step = 16; step > 0; step /= 2)
      top = fmaxf(top, __shfl_xor_sync(~0u, top, step));
    merged.rescale(fmaxf(merged.top, top));
    float weight = Merged::weightOf(lse, merged.top), weights = weight;
#pragma unroll
    for (int step = 16; step > 0; step /= 2)
      weights += __shfl_xor_sync(~0u, weights, step);
    merged.total += weights;
#pragma unroll
    for (int k = 0; k < piecesAtOnce; ++k) {
      float factor = __shfl_sync(~0u, weight, k);
      // Of a piece without a weight nothing is added, whatever it holds.
      if (k < now && factor != 0)
        merged.add(factor, values[k]);
    }
  }
  return merged;
}

/// Writes four columns of row `row`.
template <bool Indexed>
__device__ void Combine<Indexed>::store(int row, int column,
                                        const Merged &merged) const {
  // Of the sequence, or token.
  int64_t at = static_cast<int64_t>(tile.item) * tile.lanes * tileRows() + row;
  int tokens, h;
  if (at <= UINT32_MAX) { // short code
    auto low = static_cast<unsigned>(at),
         heads = static_cast<unsigned>(p.heads);
    tokens = static_cast<int>(low / heads);
    h = static_cast<int>(low - tokens * heads);
  } else {
    tokens = static_cast<int>(at / p.heads);
    h = static_cast<int>(at % p.heads);
  }
  int t = tile.firstToken + tokens;
  float total = merged.total, factor;
  float lse = total != 0 ? merged.top + log2f(total) : minusInfinity();
  lse = call.addSink(h, lse, factor);
  factor *= total != 0 ? 1 / total : 0;
  if (column == 0)
    call.storeLse(t, h, lse);
  float4 sum = merged.sum;
  if (column < p.latentWidth)
    call.storeFour(
        t, h, column,
        {sum.x * factor, sum.y * factor, sum.z * factor, sum.w * factor});
}

/// All columns of row `row` of few pieces.
template <bool Indexed>
__device__ void Combine<Indexed>::mergeFew(int row) const {
  const float *first = firstPiece(row);
  const float *lses = first + maxTileRows * maxSlotColumns + row % tileRows();
  float weights[fewPieces], top = minusInfinity(), total = 0;
#pragma unroll
  for (int i = 0; i < fewPieces; ++i)
    weights[i] = i < tile.pieces ? *piece(lses, i) : minusInfinity();
#pragma unroll
  for (int i = 0; i < fewPieces; ++i)
    top = fmaxf(top, weights[i]);
#pragma unroll
  for (int i = 0; i < fewPieces; ++i) {
    weights[i] = Merged::weightOf(weights[i], top);
    total += weights[i];
  }
  const float *states = first + row % tileRows() * maxSlotColumns + lane * 4;
#pragma unroll 1
  for (int group = 0; group < columnGroups; group += groupsAtOnce) {
    float4 values[groupsAtOnce][fewPieces];
#pragma unroll
    for (int j = 0; j < groupsAtOnce; ++j)
#pragma unroll
      for (int i = 0; i < fewPieces; ++i)
        // Of a piece without a weight nothing is added, whatever it holds.
        if (weights[i] != 0 && group + j < columnGroups)
          values[j][i] = *reinterpret_cast<const float4 *>(
              piece(states, i) + (group + j) * unitColumns);
        else
          values[j][i] = {0, 0, 0, 0};
    Merged merged[groupsAtOnce] = {{{0, 0, 0, 0}, top, total},
                                   {{0, 0, 0, 0}, top, total}};
#pragma unroll
    for (int j = 0; j < groupsAtOnce; ++j) {
#pragma unroll
      for (int i = 0; i < fewPieces; ++i)
        merged[j].add(weights[i], values[j][i]);
    }
#pragma unroll 1
    for (int j = 0; j < groupsAtOnce && group + j < columnGroups; ++j) {
      store(row, (group + j) * unitColumns + lane * 4, merged[0]);
      merged[0] = merged[1];
    }
  }
}
static_assert(groupsAtOnce == 2, "mergeFew() has two");

template <bool Indexed>
__device__ void Combine<Indexed>::merge(int unit) const {
  __shared__ Merged sums[numWarps][32];
  if (tile.pieces <= fewPieces) {
    int row = unit * numWarps + warp;
    if (row < tile.rows)
      mergeFew(row);
    return;
  }
  int share = warpsOfRow(tile.pieces), member = warp % share;
  int row = unit / columnGroups * (numWarps / share) + warp / share;
  int column = unit % columnGroups * unitColumns + lane * 4;
  Merged merged = Merged::nothing();
  if (row < tile.rows)
    merged = mergeRow(row, member, share, column);
  if (share > 1) {
    sums[warp][lane] = merged;
    __syncthreads();
#pragma unroll 1
    for (int i = 1; i < share && member == 0; ++i) {
      Merged other = sums[warp + i][lane];
      merged.rescale(fmaxf(merged.top, other.top));
      float weight = Merged::weightOf(other.top, merged.top);
      merged.add(weight, other.sum);
      merged.total += weight * other.total;
    }
    __syncthreads(); // the next unit's sums come to the same place
  }
  if (row < tile.rows && member == 0)
    store(row, column, merged);
}

template <bool Indexed>
__global__ void __launch_bounds__(numThreads, ctasEach)
    combineKernel(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(16) char shared[];
  __shared__ SplitTile tile;
  SplitTile found;
  // What the attention itself waited for is there when it lets this kernel
  // start; only its states are to be waited for.
  bool exists = FindSplitTile<Indexed, 2>(p, shared).find(found);
  if (exists && threadIdx.x == 0)
    tile = found;
  waitForStream();
  __syncthreads();
  if (exists)
    Combine<Indexed>(p, tile).run();
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombine(mla_context &ctx,
                                            const AbsorbedParams &params) {
  return launchEarly(ctx, "absorbed_attention",
                     params.hasIndices ? combineKernel<true>
                                       : combineKernel<false>,
                     ctasEach * params.shape.numCTAs, numThreads,
                     splitTileBytes(params.shape.numCTAs), params);
}

cudaError_t mla::cuda::loadAbsorbedCombine() {
  return loadKernels(combineKernel<false>, combineKernel<true>);
}
