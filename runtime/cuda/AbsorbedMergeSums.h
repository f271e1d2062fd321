//===- AbsorbedMergeSums.h - What a warp adds of a split tile's states ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Sums of weighted states and of weights, of those pieces of a row that one
// warp has.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMERGESUMS_H
#define MLA_RUNTIME_CUDA_ABSORBEDMERGESUMS_H

#include "AbsorbedMerge.h"

namespace mla {
namespace cuda {
namespace absorbed_merge {

/// All pieces of a row, the lses beside the states.
template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
__device__ void
Merge<Warps, Output, VectorsAtOnce, BatchPieces>::sumFew(const Place &place) {
  float weights[fewPieces], top = minusInfinity(), total = 0;
#pragma unroll
  for (int i = 0; i < fewPieces; ++i)
    weights[i] =
        i < place.pieces ? __ldcg(place.lses + offset(i)) : minusInfinity();
#pragma unroll 1
  for (int begin = 0; begin < place.count; begin += VectorsAtOnce) {
    float4 values[VectorsAtOnce][fewPieces];
#pragma unroll
    for (int j = 0; j < VectorsAtOnce; ++j)
#pragma unroll
      for (int i = 0; i < fewPieces; ++i) {
        const float *at =
            place.states + offset(i) + (begin + j) * vectorColumns;
        values[j][i] = i < place.pieces && begin + j < place.count
                           ? __ldcg(reinterpret_cast<const float4 *>(at))
                           : make_float4(0, 0, 0, 0);
      }
    if (begin == 0) {
#pragma unroll
      for (int i = 0; i < fewPieces; ++i)
        top = fmaxf(top, weights[i]);
#pragma unroll
      for (int i = 0; i < fewPieces; ++i) {
        weights[i] = weightOf(weights[i], top);
        total += weights[i];
      }
    }
#pragma unroll
    for (int j = 0; j < VectorsAtOnce; ++j) {
      float4 sum = {0, 0, 0, 0};
#pragma unroll
      for (int i = 0; i < fewPieces; ++i)
        // Of a piece without a weight nothing is added, whatever it holds.
        if (weights[i] != 0)
          addTo(sum, weights[i], values[j][i]);
      if (begin + j < place.count)
        put(begin + j, sum, top, total);
    }
  }
}

/// Of a row's pieces as many as the warps that share it have each: one, and
/// those so many further on.
template <typename Warps, typename Output, int VectorsAtOnce, int BatchPieces>
__device__ void
Merge<Warps, Output, VectorsAtOnce, BatchPieces>::sumMany(const Place &place) {
  int share = 1 << place.logShare, member = warp & (share - 1);
  int count = (place.pieces - member + share - 1) >> place.logShare;
  int batches = (count + BatchPieces - 1) / BatchPieces;
  int steps = batches * place.count;
  int stride = 2 * items.lanes * static_cast<int>(slotFloats) << place.logShare;
  // A chunk has weights together, the lses beside its first batch's states:
  // those of all vectors if there is no other.
  auto isFirst = [&](int vector, int batch) {
    return batch % batchesOfChunk == 0 &&
           (vector == 0 || batches > batchesOfChunk);
  };
  auto load = [&](Batch &to, int vector, int batch) {
    int begin = batch * BatchPieces, left = count - begin;
    int first = member + (begin << place.logShare);
    if (isFirst(vector, batch))
      to.lse =
          lane < min(left, chunkPieces)
              ? __ldcg(place.lses + offset(first + (lane << place.logShare)))
              : minusInfinity();
    const float *at = place.states + vector * vectorColumns + offset(first);
#pragma unroll
    for (int k = 0; k < BatchPieces; ++k) {
      if (k < left)
        to.values[k] = __ldcg(reinterpret_cast<const float4 *>(at));
      at +=
          k == 0 && first == 0 ? stride - static_cast<int>(slotFloats) : stride;
    }
  };

  Batch now, next;
  float4 sum = {0, 0, 0, 0};
  float top = minusInfinity(), total = 0;
  int vector = 0, batch = 0;
  if (steps > 0)
    load(now, 0, 0);
#pragma unroll 1
  for (int step = 1; step <= steps; ++step) {
    bool isLast = batch + 1 == batches;
    if (step < steps)
      load(next, isLast ? vector + 1 : vector, isLast ? 0 : batch + 1);
    if (isFirst(vector, batch)) {
      float before = batch == 0 ? minusInfinity() : top;
      top = fmaxf(before, maximumOf(now.lse));
      float factor = weightOf(before, top);
      scaleBy(sum, factor);
      total = __fmul_rn(batch == 0 ? 0 : total, factor);
      total = __fadd_rn(total, sumOf(weightOf(now.lse, top)));
    }
    const float *weights =
        pieceNumbers() + batch % batchesOfChunk * BatchPieces;
    int left = count - batch * BatchPieces;
#pragma unroll
    for (int k = 0; k < BatchPieces; ++k) {
      float weight = weights[k];
      // Of a piece without a weight nothing is added, whatever it holds.
      if (k < left && weight != 0)
        addTo(sum, weight, now.values[k]);
    }
    now = next;
    ++batch;
    if (isLast) {
      put(vector, sum, top, total);
      sum = {0, 0, 0, 0};
      ++vector, batch = 0;
    }
  }
}

} // namespace absorbed_merge
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMERGESUMS_H
