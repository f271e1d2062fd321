//===- AbsorbedCombine.cu - Merges the partial states of split tiles ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp has one row of the tile that one CTA left unfinished, if it did: it
// adds that CTA's state and those of the CTAs that went on with the tile, in
// their order.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedAttention.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int numWarps = 4;
constexpr int columnsEach = maxSlotColumns / 32; // Of a lane.

__device__ const float *slotOf(const AbsorbedParams &p, int cta, bool begins) {
  return p.slots + (2 * static_cast<int64_t>(cta) + begins) * slotFloats;
}

__global__ void __launch_bounds__(32 * numWarps)
    combineKernel(const __grid_constant__ AbsorbedParams p) {
  AbsorbedCall call(p);
  float queryScale, latentScale, peScale;
  if (!call.isUsable(queryScale, latentScale, peScale))
    return;
  Split split = call.split();
  int lanes = split.lanes(), parts = split.parts();
  int part = blockIdx.x / lanes, lane = blockIdx.x % lanes;
  if (part + 1 >= parts)
    return;
  Cursor end = split.start(part + 1);
  Cursor tile{end.sequence, end.item, 0};
  bool leftUnfinished = end.block > 0 && !(tile < split.start(part));
  if (!leftUnfinished)
    return;

  int rowsOfSeq, firstToken;
  if (p.hasIndices) {
    firstToken = tile.sequence;
    int b = firstToken < call.realTokens() ? call.sequenceOf(firstToken) : -1;
    rowsOfSeq = b < 0 ? 0 : p.heads;
  } else {
    if (tile.sequence < 0 || tile.sequence >= p.seqs)
      return;
    Sequence seq = call.sequence(tile.sequence);
    // Of a length that was refused, or isn't the schedule's, the tile was whole
    // where it began, and the slots hold another's.
    if (end.block > (seq.length - 1) / blockKeys)
      return;
    firstToken = seq.tokenBegin;
    int64_t rows =
        static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
    rowsOfSeq = static_cast<int>(min(rows, int64_t(INT32_MAX)));
  }
  int rowInTile = blockIdx.y * numWarps + threadIdx.x / 32;
  int64_t row =
      (static_cast<int64_t>(tile.item) * lanes + lane) * p.shape.tileRows +
      rowInTile;
  if (rowInTile >= p.shape.tileRows || row < 0 || row >= rowsOfSeq)
    return;

  int last = part + 1; // Part that ends the tile.
  for (; last + 1 < parts; ++last) {
    Cursor next = split.start(last + 1);
    if (next.sequence != tile.sequence || next.item != tile.item ||
        next.block == 0)
      break;
  }
  auto stateOf = [&](int i) { return slotOf(p, i * lanes + lane, i == part); };
  auto lseOf = [&](int i) {
    return stateOf(i)[maxTileRows * maxSlotColumns + rowInTile];
  };
  int thread = threadIdx.x % 32;
  float top = minusInfinity();
  for (int i = part + thread; i <= last; i += 32)
    top = fmaxf(top, lseOf(i));
  for (int step = 16; step > 0; step /= 2)
    top = fmaxf(top, __shfl_xor_sync(~0u, top, step));

  float sum[columnsEach] = {}, total = 0;
  for (int i = part; i <= last; ++i) {
    float lse = lseOf(i);
    if (lse == minusInfinity())
      continue;
    float weight = exp2f(lse - top);
    total += weight;
    const float *state =
        stateOf(i) + static_cast<int64_t>(rowInTile) * maxSlotColumns;
#pragma unroll
    for (int j = 0; j < columnsEach; j += 4) {
      float4 values =
          *reinterpret_cast<const float4 *>(state + j * 32 + thread * 4);
      sum[j] += weight * values.x;
      sum[j + 1] += weight * values.y;
      sum[j + 2] += weight * values.z;
      sum[j + 3] += weight * values.w;
    }
  }
  int t = firstToken + static_cast<int>(row / p.heads);
  int h = static_cast<int>(row % p.heads);
  float factor;
  float lse = call.addSink(h, total != 0 ? top + log2f(total) : minusInfinity(),
                           factor);
  factor *= total != 0 ? 1 / total : 0;
#pragma unroll
  for (int j = 0; j < columnsEach; ++j) {
    int column = j / 4 * 128 + thread * 4 + j % 4;
    if (column < p.latentWidth)
      storeElement(p.o.at(t, h, column), p.o.dtype, sum[j] * factor);
  }
  if (thread == 0)
    call.storeLse(t, h, lse);
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombine(mla_context &ctx,
                                            const AbsorbedParams &params) {
  dim3 grid(params.shape.numCTAs, ceilDiv(params.shape.tileRows, numWarps));
  return launch(ctx, "absorbed_attention", combineKernel, grid, 32 * numWarps,
                0, params);
}

cudaError_t mla::cuda::loadAbsorbedCombine() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, combineKernel);
}
