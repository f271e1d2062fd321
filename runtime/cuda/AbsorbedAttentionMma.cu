//===- AbsorbedAttentionMma.cu - Absorbed attention on tensor cores -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A CTA of 8 warps has 64 rows and goes through blocks of 64 keys
// (FlashAttention, arXiv:2205.14135, for keys that are their own values):
//
//   S = Q K^T      the warps are 2 x 2 over 32 x 32 pieces of S, and 2 over the
//                  depth, whose halves are added through shared memory
//   P = exp2(S - maximum)
//   O = O + P V    a warp has all rows of an eighth of the columns
//
// A row's maximum lags behind the true one until weights would exceed 2^8: then
// it follows, and O is multiplied by exp2(old maximum - new).
//
// Bounds: 64 x 512 of O are 128 registers of each thread, so there is one CTA
// on a multiprocessor. It hides its copies itself: those of the next block are
// issued between this block's products for S, and run on during the others. Per
// block of 16-bit keys the tensor cores have 8.9 MFLOP to do, 2200 cycles at
// Hopper's full rate, which mma.sync doesn't reach; shared memory moves 128
// bytes in each of 4200 cycles.
//
// Keys are 16-bit, as the query is, or fp8. These stay fp8 in shared memory and
// become f16, exactly, on the way to the tensor cores; the query is brought to
// f16 with a power of two a row. Of fp8 with block scales a key's products are
// scaled a block of columns at a time. In the product with the values it is the
// weights that take the scales, relative to the largest met so far: O is in its
// units, and is multiplied when it grows.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedCall.h"
#include "AbsorbedMmaKeys.h"
#include "AbsorbedMmaOutput.h"
#include "AbsorbedMmaQuery.h"
#include "AbsorbedMmaScores.h"
#include "AbsorbedMmaValues.h"
#include "AbsorbedMmaWeights.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::absorbed_mma;

namespace mla {
namespace cuda {
namespace absorbed_mma {

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::run() {
  // All that is read first is under way before any of it is looked at.
  auto *starts = reinterpret_cast<int *>(shared + Shared::weights);
  int start = fetchStart();
  Sequence near = {};
  if (thread < min(p.seqs, nearSeqs))
    near = call.rawSequence(thread);
  int64_t tokens = loadInt(p.cuQ, p.seqs);
  float queryScale, latentScale, peScale;
  bool usable = call.isUsable(queryScale, latentScale, peScale);
  int real = usable ? call.realTokens(tokens) : 0;
  call.writeNothing(real, p.tokens);
  if (!usable)
    return;
  Split split = call.split(real);
  int lanes = split.lanes(), part = blockIdx.x / lanes;
  Split::Cut cut = split.cut();
  if (part >= cut.parts)
    return;
  if (thread < startsFetched)
    starts[thread] = start;
  if (thread < nearSeqs)
    rows.near[thread] = near;
  if (thread == 0) {
    rows.logitScale = p.scale * queryScale;
    rows.latentScale = latentScale;
    rows.peScale = peScale;
    rows.lanes = lanes;
  }
  __syncthreads();
  auto cursorOf = [&](int which) {
    if (p.hasIndices || lanes > Split::maxLanes)
      return split.start(part + which, cut);
    const int *from = starts + 3 * (2 * (lanes - 1) + which);
    return Cursor{from[0], from[1], from[2]};
  };
  Cursor at = cursorOf(0), end = cursorOf(1);
  if (thread == 0)
    rows.end = end;
  __syncthreads();
  // A caller's schedule can hold anything.
  int limit = p.hasIndices ? real : p.seqs;
  while (at < rows.end && at.sequence >= 0 && at.sequence < limit &&
         at.item >= 0 && at.block >= 0) {
    if (enter(at))
      at = {at.sequence, at.item + 1, 0};
    else
      at = {at.sequence + 1, 0, 0};
  }
}

template <typename T, Keys KeysAre>
__device__ inline int AbsorbedMma<T, KeysAre>::fetchStart() const {
  static_assert(startsFetched <= numThreads &&
                    startsFetched * 4 <= Shared::rows - Shared::weights,
                "");
  if (p.hasIndices || thread >= startsFetched)
    return 0;
  int lanes = thread / 6 + 1, element = thread % 6;
  return static_cast<int>(
      loadInt(p.schedule, ScheduleStarts + 3 * (blockIdx.x / lanes) + element));
}

template <typename T, Keys KeysAre>
__device__ inline Sequence AbsorbedMma<T, KeysAre>::sequence(int b) const {
  return call.usable(b < nearSeqs ? rows.near[b] : call.rawSequence(b));
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::recomputePlace() {
  thread = recompute(thread);
  warp = thread / 32, lane = thread % 32;
  depthHalf = warp / 4, rowHalf = warp / 2 % 2, keyHalf = warp % 2;
}

template <typename T, Keys KeysAre>
__device__ inline bool AbsorbedMma<T, KeysAre>::enter(const Cursor &at) {
  Sequence seq;
  int64_t numRows;
  int blocks;
  if (p.hasIndices) {
    batch = call.sequenceOf(at.sequence);
    if (batch < 0)
      return false;
    seq = sequence(batch);
    if (at.sequence < seq.tokenBegin || at.sequence >= seq.tokenEnd)
      return false;
    firstToken = at.sequence;
    numRows = p.heads;
    blocks = (p.topk + blockKeys - 1) / blockKeys;
  } else {
    batch = at.sequence;
    seq = sequence(batch);
    firstToken = seq.tokenBegin;
    numRows = static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
    blocks = (seq.length + blockKeys - 1) / blockKeys;
  }
  int rowTiles = static_cast<int>((numRows + tileRows - 1) / tileRows);
  int lanes = rows.lanes;
  if (at.item >= Split::itemsOf(rowTiles, lanes))
    return false;
  Cursor end = rows.end;
  bool endsHere = end.sequence == at.sequence && end.item == at.item;
  int blockEnd = endsHere ? min(end.block, blocks) : blocks;
  int tile = at.item * lanes + static_cast<int>(blockIdx.x) % lanes;
  if (tile < rowTiles) {
    int block = min(at.block, blockEnd);
    // The first keys' pages are under way beside what the rows see of them.
    mostSeen = p.hasIndices ? call.visible(seq, firstToken) : seq.length;
    if (block < blockEnd)
      locate(block);
    __syncthreads(); // the tile before is done with shared memory
    setRows(seq, numRows, tile);
    process(block, blockEnd, at.block == 0, blockEnd == blocks);
  }
  return true;
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::process(int blockBegin, int blockEnd, bool begins,
                                 bool ends) {
  int seen = blockEnd;
  if (!p.hasIndices)
    seen = min(blockEnd, (mostSeen + blockKeys - 1) / blockKeys);
  else if (mostSeen == 0)
    seen = blockBegin;
  clear();
  badPosition = -1;
  if (blockBegin < seen) {
    nextSeen &= nextPosition < mostSeen;
    // Copies of the query wait for nothing; to convert it is to wait for it.
    if constexpr (!IsFp8)
      loadQuery();
    startCopies(0);
    copyRest();
    if constexpr (IsFp8)
      loadQuery();
    if (blockBegin + 1 < seen)
      locate(blockBegin + 1);
  }
  int index = 0;
  for (int block = blockBegin; block < seen; ++block, index ^= 1) {
    waitForCopies<0>();
    __syncthreads();
    if (block + 1 < seen) {
      startCopies(index ^ 1);
      if (block + 2 < seen)
        locate(block + 2);
    }
    attend(block, base + Shared::stages + index * Shared::stageBytes, index);
  }
  // Once a tile, so that the loop has no code for it.
  if (badPosition >= 0)
    call.pageExists(batch, badPosition, call.rawPage(batch, badPosition));
  finish(begins && ends, 2 * blockIdx.x + (begins ? 1 : 0));
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::attend(int block, uint32_t stage, int index) {
  recomputePlace();
  Scores s = {};
  multiplyKeys(s, stage);
  copyRest();
  __syncthreads(); // the pe part is done with, and gives room
  recomputePlace();
  addDepthHalves(s, stage);
  if (!p.hasIndices && (block + 1) * blockKeys > leastSeen)
    dropNonFinite(block, stage);
  // From here on a warp has 16 rows and 32 keys.
  Logits &logits = s[0];
  int row = ownRow();
  toLogits(logits, row, block, index);
  bool changed = toWeights(logits, row);
  if constexpr (HasScales)
    scaleValues(stage);
  bool rescale = __syncthreads_or(changed);
  recomputePlace();
  multiplyValues(stage, rescale);
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

namespace {

template <typename T, Keys KeysAre>
__global__ void __launch_bounds__(numThreads, 1)
    absorbedMma(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(1024) char shared[];
  waitForStream();
  AbsorbedMma<T, KeysAre> cta(p, shared);
  cta.run();
  cta.check();
}

using Kernel = void (*)(AbsorbedParams);

/// The kernel that a call takes.
Kernel kernelFor(uint32_t latentDtype, bool hasScales) {
  switch (latentDtype) {
  case MLA_DTYPE_BF16:
    return absorbedMma<__nv_bfloat16, Keys::Own>;
  case MLA_DTYPE_F16:
    return absorbedMma<__half, Keys::Own>;
  default:
    return hasScales ? absorbedMma<__half, Keys::Fp8Scaled>
                     : absorbedMma<__half, Keys::Fp8>;
  }
}

int sharedBytes(uint32_t latentDtype) {
  return latentDtype == MLA_DTYPE_F8E4M3FN ? Layout<true>::bytes
                                           : Layout<false>::bytes;
}

bool is16Bit(uint32_t dtype) {
  return dtype == MLA_DTYPE_BF16 || dtype == MLA_DTYPE_F16;
}

} // namespace

bool mla::cuda::fitsAbsorbedMma(mla_context &ctx,
                                const mla_absorbed_attention_params &params) {
  Tensor<3> query(params.query), latent(params.cache_latent),
      pe(params.cache_pe);
  bool isFp8 = latent.dtype == MLA_DTYPE_F8E4M3FN;
  // 16-bit parts are all of one type; fp8 goes with any but f32.
  bool types = isFp8 ? query.dtype != MLA_DTYPE_F32 && pe.dtype != MLA_DTYPE_F32
                     : is16Bit(latent.dtype) && query.dtype == latent.dtype &&
                           (!params.cache_pe || pe.dtype == latent.dtype);
  bool widths = latent.width() % 64 == 0 && latent.width() <= maxLatent &&
                pe.width() % (2 * stepColumns) == 0 && pe.width() <= maxPe;
  return types && widths && query.hasVectors(16) && latent.hasVectors(16) &&
         pe.hasVectors(16) &&
         stateOf(ctx).maxSharedBytes >= sharedBytes(latent.dtype);
}

mla_status mla::cuda::launchAbsorbedMma(mla_context &ctx,
                                        const AbsorbedParams &params) {
  return launchEarly(
      ctx, "absorbed_attention",
      kernelFor(params.latent.dtype, params.scales.data != nullptr),
      params.shape.numCTAs, numThreads, sharedBytes(params.latent.dtype),
      params);
}

cudaError_t mla::cuda::loadAbsorbedMma(const State &state) {
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F8E4M3FN})
    for (bool hasScales : {false, true})
      if (state.maxSharedBytes >= sharedBytes(dtype))
        if (cudaError_t error =
                allowShared(kernelFor(dtype, hasScales), sharedBytes(dtype)))
          return error;
  return cudaSuccess;
}
