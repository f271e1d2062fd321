//===- AbsorbedCombineSm90.cu - Merges states of the Hopper kernel --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The same as AbsorbedCombine.cu of states as AbsorbedSm90State.h has them. A
// warp has eight rows of few pieces, and of more pieces fewer rows: its halves
// or quarters then have some of the pieces each, and where there are very many
// so do warps. So a lane has up to nine states to add up, all of them under way
// together with what they weigh: it is latency that counts.
//
// Tiles of two pieces the attention has merged.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedSplitTile.h"
#include "Launch.h"
#include "Quads.h"
#include "ptx.h"
#include "sm90/AbsorbedSm90State.h"

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::absorbed_combine;
using namespace mla::cuda::sm90;

namespace {

constexpr int laneColumns = 8; ///< Of a unit.
constexpr int slotBytes = slotFloats * sizeof(float);
/// States that a lane has under way.
constexpr int statesAtOnce = 9;
constexpr int fewPieces = 4; ///< For which there is shorter code.

/// Parts of a warp that share a row's pieces.
__device__ inline int splitOf(int pieces) {
  return pieces <= statesAtOnce ? 1 : pieces <= 2 * statesAtOnce ? 2 : 4;
}
/// Warps that do.
__device__ inline int shareOf(int pieces) {
  return pieces <= 4 * statesAtOnce ? 1 : pieces <= 8 * statesAtOnce ? 2 : 4;
}

/// A sum of weighted states and of the weights, relative to `top`, log2.
struct Merged {
  float sum[laneColumns];
  float top, total;

  static __device__ Merged nothing() { return {{}, minusInfinity(), 0}; }
  /// Adds numbers times `factor`. Of what has no weight nothing is added,
  /// whatever it holds.
  __device__ void add(float factor, uint4 state) {
    const uint32_t words[] = {state.x, state.y, state.z, state.w};
#pragma unroll
    for (int i = 0; i < laneColumns / 2; ++i) {
      uint32_t word = factor != 0 ? words[i] : 0;
      float2 pair = unpackHalves(word);
      sum[2 * i] += factor * pair.x, sum[2 * i + 1] += factor * pair.y;
    }
  }
  /// Adds what was merged of others.
  __device__ void addMerged(const Merged &other) {
    rescale(fmaxf(top, other.top));
    float weight = weightOf(other.top, top);
#pragma unroll
    for (int i = 0; i < laneColumns; ++i)
      sum[i] += other.sum[i] * weight;
    total += other.total * weight;
  }
  /// That of the lane whose number differs by `step`.
  __device__ Merged ofLane(int step) const {
    Merged other;
#pragma unroll
    for (int i = 0; i < laneColumns; ++i)
      other.sum[i] = __shfl_xor_sync(~0u, sum[i], step);
    other.top = __shfl_xor_sync(~0u, top, step);
    other.total = __shfl_xor_sync(~0u, total, step);
    return other;
  }
  /// Makes all relative to `next`, which isn't less.
  __device__ void rescale(float next) {
    float factor = weightOf(top, next);
#pragma unroll
    for (float &value : sum)
      value *= factor;
    total *= factor, top = next;
  }
  /// Of what has this lse: 0 of nothing.
  static __device__ float weightOf(float lse, float top) {
    return lse == minusInfinity() ? 0 : exp2Approximate(lse - top);
  }
};

template <typename T, bool Indexed> class Combine {
public:
  __device__ explicit Combine(const AbsorbedParams &p)
      : p(p), call(p), slot{p.latentWidth}, warp(threadIdx.x / 32),
        lane(threadIdx.x % 32) {}

  __device__ void run(char *shared) {
    // What the attention itself waited for is there when it lets this kernel
    // start; only its states are to be waited for.
    bool exists = FindSplitTile<Indexed, 3>(p, shared).find(tile);
    waitForStream();
    if (!exists)
      return;
    int rowsEach = unitRows / splitOf(tile.pieces),
        share = shareOf(tile.pieces);
    int warps = (tile.rows + rowsEach - 1) / rowsEach * unitsOfRow() * share;
    for (int i = tile.share; i * numWarps < warps; i += tile.shares)
      merge(i * numWarps + warp);
  }

private:
  __device__ void merge(int place) const;
  template <int AtOnce>
  __device__ Merged mergePieces(const char *states, const char *rows,
                                int pieces, int member, int members) const;
  __device__ void store(int row, int column, bool exists,
                        const Merged &merged) const;

  __device__ int unitsOfRow() const { return 2 * slot.unitsOfHalf(); }
  const AbsorbedParams &p;
  const AbsorbedCall call;
  SplitTile tile;
  const StateSlot slot;
  const int warp, lane;
};

/// Of so many pieces the pieces member, member + members, ... of a row: the
/// first piece's state is at `states`, and what is known of it at `rows`.
template <typename T, bool Indexed>
template <int AtOnce>
__device__ Merged Combine<T, Indexed>::mergePieces(const char *states,
                                                   const char *rows, int pieces,
                                                   int member,
                                                   int members) const {
  int eachPiece = 2 * tile.lanes * slotBytes;
  Merged merged = Merged::nothing();
#pragma unroll 1
  for (int begin = 0; begin < pieces; begin += members * AtOnce) {
    // Four lanes have the same row: each one has what is known of every fourth
    // state of it.
    constexpr int each = (AtOnce + 3) / 4;
    // Behind the first piece all are in first slots.
    auto placeOf = [&](int i) { return i * eachPiece - (i > 0) * slotBytes; };
    StateRow row[each];
#pragma unroll
    for (int j = 0; j < each; ++j) {
      int k = 4 * j + lane % 4, i = begin + member + k * members;
      row[j] = {minusInfinity(), 0};
      if (k < AtOnce && i < pieces)
        row[j] = *reinterpret_cast<const StateRow *>(rows + placeOf(i));
    }
    uint4 values[AtOnce];
#pragma unroll
    for (int k = 0; k < AtOnce; ++k) {
      int i = begin + member + k * members;
      if (i < pieces)
        values[k] = *reinterpret_cast<const uint4 *>(states + placeOf(i));
    }
    float top = row[0].lse;
#pragma unroll
    for (int j = 1; j < each; ++j)
      top = fmaxf(top, row[j].lse);
    merged.rescale(fmaxf(merged.top, maxOfFour(top)));
    float total = 0, factor[each];
#pragma unroll
    for (int j = 0; j < each; ++j) {
      float weight = Merged::weightOf(row[j].lse, merged.top);
      total += weight, factor[j] = weight * row[j].scale;
    }
    merged.total += sumOfFour(total);
#pragma unroll
    for (int k = 0; k < AtOnce; ++k)
      merged.add(__shfl_sync(~0u, factor[k / 4], k % 4, 4), values[k]);
  }
  return merged;
}

/// Writes what the warp has of the item's row `row`, the lane's own, in the
/// columns from `column` on.
template <typename T, bool Indexed>
__device__ void Combine<T, Indexed>::store(int row, int column, bool exists,
                                           const Merged &merged) const {
  // fitsAbsorbedSm90() knows that a call's rows are an int.
  unsigned heads = p.heads;
  unsigned at = tile.item * tile.lanes * maxTileRows + row;
  unsigned tokens = at < heads ? 0 : at / heads;
  int t = tile.firstToken + tokens, h = at - tokens * heads;
  float total = merged.total, factor = 1;
  float lse = total != 0 ? merged.top + __log2f(total) : minusInfinity();
  if (exists)
    lse = call.addSink(h, lse, factor);
  factor *= total != 0 ? __fdividef(1, total) : 0;
  if (exists && column == 0 && lane % 4 == 0)
    call.storeLse(t, h, lse);
  uint32_t words[laneColumns / 2];
#pragma unroll
  for (int i = 0; i < laneColumns / 2; ++i)
    words[i] =
        packPair<T>(merged.sum[2 * i] * factor, merged.sum[2 * i + 1] * factor);
  transposeFour(words, lane);
  storeIf(exists, p.o.at(t, h, column + lane % 4 * laneColumns), words);
}

template <typename T, bool Indexed>
__device__ void Combine<T, Indexed>::merge(int place) const {
  __shared__ Merged sums[numWarps][32];
  int split = splitOf(tile.pieces), lanesEach = 32 / split;
  int share = shareOf(tile.pieces), member = warp % share;
  int unit = place / share;
  int row = unit / unitsOfRow() * (unitRows / split) + lane % lanesEach / 4;
  int inRow = unit % unitsOfRow(), half = inRow >= slot.unitsOfHalf();
  Merged merged = Merged::nothing();
  if (__any_sync(~0u, row < tile.rows)) {
    // The first piece is what its CTA left unfinished, in its second slot.
    int cta = tile.first * tile.lanes + row / maxTileRows;
    const char *first = slotAt(p.slots, 2 * cta + 1);
    int inTile = row % maxTileRows;
    const char *rows = first + StateSlot::placeOfRow(half, inTile);
    const char *states = first + half * slot.halfBytes() +
                         inTile / unitRows * slot.eightBytes() +
                         (inRow - half * slot.unitsOfHalf()) * unitBytes +
                         (inTile % unitRows * 4 + lane % 4) * laneBytes;
    merged = tile.pieces <= fewPieces
                 ? mergePieces<fewPieces>(states, rows, tile.pieces, 0, 1)
                 : mergePieces<statesAtOnce>(states, rows, tile.pieces,
                                             member * split + lane / lanesEach,
                                             share * split);
  }
#pragma unroll 1
  for (int step = 16; step >= lanesEach; step /= 2)
    merged.addMerged(merged.ofLane(step));
  if (share > 1) {
    sums[warp][lane] = merged;
    __syncthreads();
#pragma unroll 1
    for (int i = 1; i < share && member == 0; ++i)
      merged.addMerged(sums[warp + i][lane]);
    __syncthreads(); // the next unit's sums come to the same place
  }
  if (member == 0)
    store(row, inRow * unitColumns, row < tile.rows && lane < lanesEach,
          merged);
}

template <typename T, bool Indexed>
__global__ void __launch_bounds__(numThreads, ctasEach)
    combineSm90(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(16) char shared[];
  Combine<T, Indexed>(p).run(shared);
}

template <typename T> auto choose(bool indexed) {
  return indexed ? combineSm90<T, true> : combineSm90<T, false>;
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombineSm90(mla_context &ctx,
                                                const AbsorbedParams &params) {
  auto kernel = params.o.dtype == MLA_DTYPE_BF16
                    ? choose<__nv_bfloat16>(params.hasIndices)
                    : choose<__half>(params.hasIndices);
  return launchEarly(ctx, "absorbed_attention", kernel,
                     ctasEach * params.shape.numCTAs, numThreads,
                     splitTileBytes(params.shape.numCTAs), params);
}

cudaError_t mla::cuda::loadAbsorbedCombineSm90() {
  return loadKernels(choose<__nv_bfloat16>(false), choose<__nv_bfloat16>(true),
                     choose<__half>(false), choose<__half>(true));
}
