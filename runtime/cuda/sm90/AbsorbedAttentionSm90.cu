//===- AbsorbedAttentionSm90.cu - Absorbed attention on Hopper ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A CTA has 64 rows and goes through blocks of 64 keys, which TMA copies into
// two stages of shared memory. Keys are their own values: one copy serves both
// products. 64 x 512 of O are 128 registers of each of 256 threads; what is
// left of shared memory beside the query and two stages is 11 KB. Per block the
// tensor cores have 2200 cycles of work at their full rate.
//
// On an H100, bf16, 512 + 64 columns: with 64 rows or fewer the cache is read
// at 2.94 TB/s while blocks follow each other; of 128 rows two CTAs of a
// cluster load the same keys for each other, and a pair of blocks takes 5600
// cycles of a clock that the board's power holds at 1500 to 1750 MHz. What was
// tried is in docs/performance/decode-log.md.
//
// With indices each token has keys of its own: a tile is of one token's heads,
// and warps copy the keys instead of TMA (AbsorbedSm90Gather.h).
//
//===----------------------------------------------------------------------===//

#include "AbsorbedAttention.h"
#include "Launch.h"
#include "sm90/AbsorbedSm90Attend.h"
#include "sm90/AbsorbedSm90Gather.h"
#include "sm90/AbsorbedSm90Load.h"
#include "sm90/AbsorbedSm90Order.h"
#include "sm90/AbsorbedSm90Output.h"

#include <algorithm>
#include <type_traits>

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::sm90;

namespace {

template <typename T, int BoxesEach, bool HasPe, bool Overlaps, bool Gathers>
__global__ void __launch_bounds__(numThreads, 1)
    absorbedSm90(const __grid_constant__ AbsorbedParams p,
                 const __grid_constant__ CacheMaps maps) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  using Shared = Layout<BoxesEach, HasPe>;
  extern __shared__ __align__(1024) char shared[];
  auto &control = *reinterpret_cast<Control *>(shared + Shared::control);
  // The same in all lanes, and known to be.
  int warp = __shfl_sync(~0u, threadIdx.x / 32, 0);
  if (threadIdx.x == groupThreads)
    control.initBarriers<Gathers>();
  if (threadIdx.x == 0) {
    if constexpr (!Gathers) {
      prefetchMap(maps.latent);
      if (HasPe)
        prefetchMap(maps.pe);
    }
    if (maps.queryRows > 0)
      prefetchMap(maps.query);
  }
  waitForInputs();
  AbsorbedCall call(p);
  if (warp >= groupWarps) {
    growRegisters<manyRegisters(Gathers)>();
    AbsorbedHeader header(p, p.schedule);
    int64_t count = loadInt(p.cuQ, p.seqs);
    waitForBarriers();
    // While the loads are under way.
    int real = header.isUsableRecorded() ? call.realTokens(count) : 0;
    int thread = threadIdx.x - groupThreads;
    call.checkSequences(thread, 2 * groupThreads);
    call.writeNothing(real, p.tokens, thread, 2 * groupThreads);
    Attend<T, BoxesEach, HasPe, Overlaps, Gathers>(
        call, p, shared, warp / groupWarps - 1,
        Gathers ? false : arePaired(header.element(ScheduleLanes)))
        .run();
  } else {
    shrinkRegisters<fewRegisters(Gathers)>();
    std::conditional_t<Gathers, Gather<BoxesEach, HasPe>,
                       Load<BoxesEach, HasPe>>
        load(call, p, maps, shared);
    if (warp < (Gathers ? gatherWarps : keyWarps))
      load.loadKeys(warp);
    else
      load.loadQueries();
  }
  // One's shared memory is the other's to write to until both are done.
  if (clusterSize() > 1)
    syncCluster();
#endif
}

using Kernel = void (*)(AbsorbedParams, CacheMaps);
struct Choice {
  Kernel kernel;
  int sharedBytes;
};

template <int BoxesEach, bool HasPe, bool Overlaps, bool Gathers = false>
Choice choose(uint32_t dtype) {
  return {dtype == MLA_DTYPE_BF16
              ? absorbedSm90<__nv_bfloat16, BoxesEach, HasPe, Overlaps, Gathers>
              : absorbedSm90<__half, BoxesEach, HasPe, Overlaps, Gathers>,
          Layout<BoxesEach, HasPe>::bytes};
}

/// The kernel of a type, of a latent of 512 or 256 columns, in the order that
/// `overlaps` more or in the other: see AbsorbedSm90Order.h.
Choice choose(uint32_t dtype, int64_t latentWidth, bool hasPe, bool overlaps) {
  if (latentWidth == 256)
    return hasPe ? choose<2, true, false>(dtype)
                 : choose<2, false, false>(dtype);
  if (overlaps)
    return hasPe ? choose<4, true, true>(dtype) : choose<4, false, true>(dtype);
  return hasPe ? choose<4, true, false>(dtype) : choose<4, false, false>(dtype);
}

/// The same of keys that are gathered, of a latent of 512 columns.
Choice chooseGathering(uint32_t dtype, bool hasPe, bool overlaps) {
  if (overlaps)
    return hasPe ? choose<4, true, true, true>(dtype)
                 : choose<4, false, true, true>(dtype);
  return hasPe ? choose<4, true, false, true>(dtype)
               : choose<4, false, false, true>(dtype);
}

bool makeMaps(CacheMaps &maps, const Tensor<3> &latent, const Tensor<3> &pe) {
  int boxRows = boxRowsOf(latent.shape[1]);
  return makeTensorMap(maps.latent, latent, boxRows) &&
         (pe.width() == 0 || makeTensorMap(maps.pe, pe, boxRows));
}

/// Of boxes that fit the rows of most tiles.
void makeQueryMap(CacheMaps &maps, const AbsorbedParams &params) {
  Tensor<3> rows = params.query;
  int64_t tokens = rows.shape[0], heads = rows.shape[1];
  int64_t stride = rows.strides[heads == 1 ? 0 : 1];
  maps.queryRows = 0;
  if (tokens > 1 && rows.strides[0] != heads * stride)
    return;
  rows.shape[0] = 1, rows.shape[1] = tokens * heads;
  rows.strides[1] = stride;
  int64_t most = (tokens + params.seqs - 1) / std::max(params.seqs, 1) * heads;
  int64_t boxRows = most <= tileRows / 2 ? tileRows / 4 : tileRows;
  boxRows = std::min(boxRows, rows.shape[1]);
  if (makeTensorMap(maps.query, rows, static_cast<int>(boxRows)))
    maps.queryRows = static_cast<int>(boxRows);
}

/// Where tokens have keys of their own: of boxes of a token's heads.
bool makeTokenQueryMap(CacheMaps &maps, Tensor<3> query) {
  // A stride that leads nowhere may be anything.
  if (query.shape[1] == 1)
    query.strides[1] = query.width() * elementSize(query.dtype);
  maps.queryRows =
      static_cast<int>(std::min<int64_t>(query.shape[1], tileRows));
  return makeTensorMap(maps.query, query, maps.queryRows);
}

/// Whether arithmetic bounds a call: `lanes` CTAs share keys, each of which has
/// `fewest` of their blocks or more.
bool eachShares(const AbsorbedParams &params, int64_t lanes, int64_t blocks,
                int64_t fewest) {
  return lanes > 1 && blocks * lanes >= fewest * params.shape.numCTAs;
}
// From how many on the other order pays, and from how many pairs, was measured.
constexpr int fewestToOverlap = 12, fewestToPair = 24;

mla_status launchGathering(mla_context &ctx, const AbsorbedParams &params) {
  CacheMaps maps = {};
  // fitsAbsorbedSm90() has seen that there is such a map.
  makeTokenQueryMap(maps, params.query);
  // A token's tiles share its keys; no others have the same.
  int64_t blocks = params.tokens * ceilDiv(params.topk, blockKeys);
  Choice choice =
      chooseGathering(params.latent.dtype, params.peWidth > 0,
                      eachShares(params, ceilDiv(params.heads, tileRows),
                                 blocks, fewestToOverlap));
  return launchEarly(ctx, "absorbed_attention", choice.kernel,
                     params.shape.numCTAs, numThreads, choice.sharedBytes,
                     params, maps);
}

} // namespace

bool mla::cuda::fitsAbsorbedSm90(mla_context &ctx,
                                 const mla_absorbed_attention_params &params) {
  Tensor<3> query(params.query), latent(params.cache_latent),
      pe(params.cache_pe), o(params.o);
  uint32_t dtype = latent.dtype;
  bool types = (dtype == MLA_DTYPE_BF16 || dtype == MLA_DTYPE_F16) &&
               query.dtype == dtype && o.dtype == dtype &&
               (pe.width() == 0 || pe.dtype == dtype);
  bool gathers = params.indices;
  bool widths =
      (latent.width() == 512 || (latent.width() == 256 && !gathers)) &&
      pe.width() <= boxColumns;
  // Keys that are gathered may be in pages of any size.
  int64_t page = latent.shape[1];
  bool pages =
      (page == 16 || page == 32 || (page > 0 && (page % 64 == 0 || gathers))) &&
      latent.shape[0] > 0 && latent.shape[0] < INT32_MAX;
  bool counts = query.shape[0] <= (INT32_MAX - maxTileRows) / query.shape[1];
  // The largest of a row's products is that of its logits.
  bool scale = params.softmax_scale > 0;
  CacheMaps maps;
  return scale && types && widths && pages && counts && query.hasVectors(16) &&
         latent.hasVectors(16) && pe.hasVectors(16) && o.hasVectors(16) &&
         stateOf(ctx).hasSm90 &&
         (gathers ? makeTokenQueryMap(maps, query)
                  : makeMaps(maps, latent, pe));
}

mla_status mla::cuda::launchAbsorbedSm90(mla_context &ctx,
                                         const AbsorbedParams &params) {
  if (params.hasIndices)
    return launchGathering(ctx, params);
  CacheMaps maps = {};
  makeMaps(maps, params.latent, params.pe);
  makeQueryMap(maps, params);
  // How many keys a call may have is known here, how many it has is not.
  int64_t keys = static_cast<int64_t>(params.numPagesOfSeq) * params.pageSize;
  if (params.maxKv > 0)
    keys = std::min(keys, params.maxKv);
  int64_t blocks = params.seqs * ceilDiv(keys, blockKeys);
  Choice choice =
      choose(params.latent.dtype, params.latentWidth, params.peWidth > 0,
             eachShares(params, params.shape.lanes, blocks, fewestToOverlap));
  // Two row tiles of a sequence are two CTAs' that share what they read. With
  // few blocks it takes longer to wait for each other.
  bool pairs = eachShares(params, params.shape.lanes, blocks, fewestToPair) &&
               params.shape.lanes == 2 && params.shape.numCTAs % 2 == 0;
  return launchEarlyClusters(ctx, "absorbed_attention", choice.kernel,
                             params.shape.numCTAs, pairs ? 2 : 1, numThreads,
                             choice.sharedBytes, params, maps);
}

cudaError_t mla::cuda::loadAbsorbedSm90(const State &state) {
  if (!state.hasSm90)
    return cudaSuccess;
  auto allow = [](const Choice &choice) {
    return allowShared(choice.kernel, choice.sharedBytes);
  };
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
    for (bool hasPe : {false, true}) {
      for (int64_t width : {256, 512})
        for (bool overlaps : {false, true})
          if (cudaError_t error = allow(choose(dtype, width, hasPe, overlaps)))
            return error;
      for (bool overlaps : {false, true})
        if (cudaError_t error = allow(chooseGathering(dtype, hasPe, overlaps)))
          return error;
    }
  return cudaSuccess;
}
