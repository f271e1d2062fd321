//===- AbsorbedCombine.cu - Merges the partial states of split tiles ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A tile that is split has as many states as it has parts, its pieces. A unit
// of work is one or more rows of a tile's item, or 128 columns of them: of few
// pieces each warp of a CTA has a row to itself; of many the warps share a row,
// each with some of its pieces, and their sums are added in the warps' order.
// The CTAs deal the units of all split tiles among themselves.
//
// Where there is little to merge it is latency that counts. Each CTA finds all
// tiles itself (AbsorbedSplitItems.h), and a warp has its pieces' states under
// way before it asks for their weights.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedSplitItems.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::absorbed_combine;

namespace {

constexpr int ctasEach = 2;     ///< On a multiprocessor.
constexpr int piecesAtOnce = 8; ///< States that a lane has under way.
constexpr int groupsAtOnce = 2; ///< The same, of items of few pieces.

class Combine {
public:
  __device__ Combine(const AbsorbedParams &p, char *shared)
      : p(p), call(p), items(p, shared), warp(threadIdx.x / 32),
        lane(threadIdx.x % 32) {}

  __device__ void run() {
    // What the attention itself waited for is there when it lets this kernel
    // start; only its states are to be waited for.
    int units = items.load() ? items.find() : 0;
    waitForStream();
    for (int unit = blockIdx.x; unit < units; unit += gridDim.x)
      merge(unit);
  }

private:
  __device__ void merge(int unit) const;
  __device__ void mergeFew(const SplitItem &item, int part, int row) const;
  __device__ void mergeRow(const float *first, int row, int pieces, int member,
                           int share, int column, float4 &sum, float &top,
                           float &total) const;
  __device__ void store(int firstToken, int64_t row, int column, float4 sum,
                        float top, float total) const;

  /// Piece `i` of the tile whose first one has its state at `first`.
  __device__ const float *piece(const float *first, int i) const {
    // The first piece is what its CTA left unfinished, in its second slot.
    int64_t slots = static_cast<int64_t>(2 * items.lanes) * i - (i > 0);
    return first + slots * slotFloats;
  }
  __device__ int tileRows() const { return p.shape.tileRows; }
  /// Where the first piece of row `row` of part `part`'s item has its state's
  /// tile.
  __device__ const float *firstPiece(int part, int row) const {
    int64_t cta =
        static_cast<int64_t>(part - 1) * items.lanes + row / tileRows();
    return p.slots + (2 * cta + 1) * slotFloats;
  }
  /// Rows of part `part`'s sequence, or token, before its item's.
  __device__ int64_t rowsBefore(int part) const {
    return static_cast<int64_t>(items.starts[part].item) * items.lanes *
           tileRows();
  }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  SplitItems items;
  const int warp, lane;
};

/// Of row `row` of a tile with so many pieces, the first at `first`: the sum of
/// the pieces member, member + share, ... times their weights, four columns a
/// lane, and the sum of the weights. They are relative to `top`, the largest
/// lse of all pieces.
__device__ void Combine::mergeRow(const float *first, int row, int pieces,
                                  int member, int share, int column,
                                  float4 &sum, float &top, float &total) const {
  int count = (pieces - member + share - 1) / share;
  const float *states = first + row * maxSlotColumns + column;
  const float *lses = first + maxTileRows * maxSlotColumns + row;
  float4 values[piecesAtOnce];
  auto load = [&](int begin) {
#pragma unroll
    for (int k = 0; k < piecesAtOnce; ++k)
      if (begin + k < count)
        values[k] = *reinterpret_cast<const float4 *>(
            piece(states, member + (begin + k) * share));
  };
  load(0);
  for (int i = lane; i < pieces; i += 32)
    top = fmaxf(top, *piece(lses, i));
  for (int step = 16; step > 0; step /= 2)
    top = fmaxf(top, __shfl_xor_sync(~0u, top, step));
  for (int begin = 0; begin < count; begin += 32) {
    int i = member + (begin + lane) * share;
    float lse = i < pieces ? *piece(lses, i) : minusInfinity();
    float weight = lse == minusInfinity() ? 0 : exp2f(lse - top);
    total += weight;
#pragma unroll
    for (int k = 0; k < 32; k += piecesAtOnce) {
      if (begin + k >= count)
        break;
      if (begin + k > 0)
        load(begin + k);
#pragma unroll
      for (int j = 0; j < piecesAtOnce; ++j) {
        float factor = __shfl_sync(~0u, weight, k + j);
        // Of a piece without a weight nothing is added, whatever it holds.
        if (begin + k + j < count && factor != 0) {
          sum.x += factor * values[j].x;
          sum.y += factor * values[j].y;
          sum.z += factor * values[j].z;
          sum.w += factor * values[j].w;
        }
      }
    }
  }
  for (int step = 16; step > 0; step /= 2)
    total += __shfl_xor_sync(~0u, total, step);
}

/// Writes four columns of row `row` of a sequence, or of a token.
__device__ void Combine::store(int firstToken, int64_t row, int column,
                               float4 sum, float top, float total) const {
  int t = firstToken + static_cast<int>(row / p.heads);
  int h = static_cast<int>(row % p.heads);
  float factor;
  float lse = call.addSink(h, total != 0 ? top + log2f(total) : minusInfinity(),
                           factor);
  factor *= total != 0 ? 1 / total : 0;
  if (column == 0)
    call.storeLse(t, h, lse);
  if (column < p.latentWidth)
    call.storeFour(
        t, h, column,
        {sum.x * factor, sum.y * factor, sum.z * factor, sum.w * factor});
}

/// All columns of row `row` of an item of few pieces.
__device__ void Combine::mergeFew(const SplitItem &item, int part,
                                  int row) const {
  const float *first = firstPiece(part, row);
  const float *lses = first + maxTileRows * maxSlotColumns + row % tileRows();
  float weights[fewPieces], top = minusInfinity(), total = 0;
#pragma unroll
  for (int i = 0; i < fewPieces; ++i)
    weights[i] = i < item.pieces ? *piece(lses, i) : minusInfinity();
#pragma unroll
  for (int i = 0; i < fewPieces; ++i)
    top = fmaxf(top, weights[i]);
#pragma unroll
  for (int i = 0; i < fewPieces; ++i) {
    weights[i] = weights[i] == minusInfinity() ? 0 : exp2f(weights[i] - top);
    total += weights[i];
  }
  const float *states = first + row % tileRows() * maxSlotColumns + lane * 4;
#pragma unroll 1
  for (int group = 0; group < items.columnGroups; group += groupsAtOnce) {
    float4 values[groupsAtOnce][fewPieces];
#pragma unroll
    for (int j = 0; j < groupsAtOnce; ++j)
#pragma unroll
      for (int i = 0; i < fewPieces; ++i)
        // Of a piece without a weight nothing is added, whatever it holds.
        if (weights[i] != 0 && group + j < items.columnGroups)
          values[j][i] = *reinterpret_cast<const float4 *>(
              piece(states, i) + (group + j) * unitColumns);
        else
          values[j][i] = {0, 0, 0, 0};
#pragma unroll
    for (int j = 0; j < groupsAtOnce; ++j) {
      float4 sum = {0, 0, 0, 0};
#pragma unroll
      for (int i = 0; i < fewPieces; ++i) {
        sum.x += weights[i] * values[j][i].x;
        sum.y += weights[i] * values[j][i].y;
        sum.z += weights[i] * values[j][i].z;
        sum.w += weights[i] * values[j][i].w;
      }
      if (group + j < items.columnGroups)
        store(item.firstToken, rowsBefore(part) + row,
              (group + j) * unitColumns + lane * 4, sum, top, total);
    }
  }
}

__device__ void Combine::merge(int unit) const {
  __shared__ float4 sums[numWarps][32];
  __shared__ float totals[numWarps];
  int part = items.partOf(unit);
  SplitItem item = items.items[part];
  int place = unit - (part > 0 ? items.items[part - 1].unitsEnd : 0);
  if (item.pieces <= fewPieces) {
    int row = place * numWarps + warp;
    if (row < item.rows)
      mergeFew(item, part, row);
    return;
  }
  int share = warpsOfRow(item.pieces), member = warp % share;
  int row = place / items.columnGroups * (numWarps / share) + warp / share;
  int column = place % items.columnGroups * unitColumns + lane * 4;
  float4 sum = {0, 0, 0, 0};
  float top = minusInfinity(), total = 0;
  if (row < item.rows)
    mergeRow(firstPiece(part, row), row % tileRows(), item.pieces, member,
             share, column, sum, top, total);
  if (share > 1) {
    sums[warp][lane] = sum;
    totals[warp] = total;
    __syncthreads();
    for (int i = 1; i < share && member == 0; ++i) {
      float4 other = sums[warp + i][lane];
      sum.x += other.x, sum.y += other.y, sum.z += other.z, sum.w += other.w;
      total += totals[warp + i];
    }
    __syncthreads(); // the next unit's sums come to the same place
  }
  if (row < item.rows && member == 0)
    store(item.firstToken, rowsBefore(part) + row, column, sum, top, total);
}

__global__ void __launch_bounds__(numThreads, ctasEach)
    combineKernel(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(16) char shared[];
  Combine(p, shared).run();
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombine(mla_context &ctx,
                                            const AbsorbedParams &params) {
  int64_t columnGroups = ceilDiv(params.latentWidth, unitColumns);
  // Not more CTAs than there can be units.
  int64_t units = static_cast<int64_t>(params.tokens) * params.heads *
                  std::max<int64_t>(columnGroups, 1);
  auto grid = static_cast<unsigned>(
      std::min<int64_t>(ctasEach * params.shape.numCTAs, units));
  return launchEarly(ctx, "absorbed_attention", combineKernel, grid, numThreads,
                     SplitItems::sharedBytes(params.shape.numCTAs), params);
}

cudaError_t mla::cuda::loadAbsorbedCombine() {
  return loadKernels(combineKernel);
}
