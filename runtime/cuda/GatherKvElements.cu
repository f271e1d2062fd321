//===- GatherKvElements.cu - gather_kv of any layout and type, on CUDA ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CacheRows.h"
#include "GatherKv.h"

using namespace mla;
using namespace mla::cuda;

namespace {

struct GatherKv {
  CacheRows cache;
  Tensor<2> pageTable;
  Tensor<1> kvLens;
  Packets<2> cKv, kPe;
  int64_t windowStart, windowLength;
  int64_t longest; ///< Keys that a sequence can have.
  /// Whose bound that is: the page table's or the hint's.
  FaultSite lengthSite;
  FaultRecord *fault;

  GatherKv(State &state, const mla_gather_kv_params &params)
      : cache(params), pageTable(params.page_table), kvLens(params.kv_lens),
        cKv(params.c_kv), kPe(params.k_pe), windowStart(params.window_start),
        windowLength(params.window_length),
        longest(pageTable.shape[1] * cache.latent.shape[1]),
        lengthSite(FaultSite::gather_kv_kv_lens), fault(state.fault) {
    if (params.max_kv > 0 && params.max_kv < longest) {
      longest = params.max_kv;
      lengthSite = FaultSite::gather_kv_max_kv;
    }
  }

  /// Finds key `position` of sequence `b`; false where it has none, or none
  /// that can be reached.
  __device__ bool find(int64_t b, int64_t position, int64_t &page,
                       int64_t &line) const {
    int64_t length = loadInt(kvLens, b);
    if (isOutside(fault, lengthSite, b, length, longest + 1) ||
        position >= length)
      return false;
    int64_t pageSize = cache.latent.shape[1], logical = position / pageSize;
    line = position - logical * pageSize;
    page = loadInt(pageTable, b, logical);
    return !isOutside(fault, FaultSite::gather_kv_page_table,
                      b * pageTable.shape[1] + logical, page,
                      cache.latent.shape[0]);
  }

  /// Copies, or dequantizes, a row of `part`.
  template <typename FactorOf>
  __device__ void gather(int lane, const Packets<3> &part, int64_t page,
                         int64_t line, const Packets<2> &out, int64_t row,
                         FactorOf factorOf) const {
    Row from = part.row(page, line), to = out.row(row);
    moveRows(
        lane, 0, 1, out.width(), [&](int64_t) { return from; },
        [&](int64_t, int64_t column, int64_t count, const Packet &packet) {
          storePacket(to, column,
                      convert(packet, from.dtype, to.dtype, factorOf(column)),
                      count);
        });
  }
};

__global__ void __launch_bounds__(maxWarps *warpLanes)
    gatherRows(GatherKv kv, TaskGrid grid) {
  waitForStream();
  Task task;
  if (!task.find(grid))
    return;
  int64_t row = task.token, b = row / kv.windowLength, page = 0, line = 0;
  float latentScale, peScale;
  // With a scale that means nothing every row is written as 0.
  bool exists =
      loadScale(kv.fault, FaultSite::gather_kv_latent_scale,
                kv.cache.latentScale, latentScale) &&
      loadScale(kv.fault, FaultSite::gather_kv_pe_scale, kv.cache.peScale,
                peScale) &&
      kv.find(b, kv.windowStart + row - b * kv.windowLength, page, line);
  if (!exists) {
    zeroRows(task.lane, 0, 1, kv.cKv.width(),
             [&](int64_t) { return kv.cKv.row(row); });
    if (kv.kPe)
      zeroRows(task.lane, 0, 1, kv.kPe.width(),
               [&](int64_t) { return kv.kPe.row(row); });
    return;
  }
  kv.gather(task.lane, kv.cache.latent, page, line, kv.cKv, row,
            [&](int64_t column) {
              return kv.cache.scales
                         ? *kv.cache.blockScale(page, line, column / scaleBlock)
                         : latentScale;
            });
  if (kv.kPe)
    kv.gather(task.lane, kv.cache.pe, page, line, kv.kPe, row,
              [&](int64_t) { return peScale; });
}

} // namespace

cudaError_t mla::cuda::loadGatherKvElements() {
  return loadKernels(gatherRows);
}

mla_status mla::cuda::gatherKvElements(mla_context &ctx,
                                       const mla_gather_kv_params &params) {
  GatherKv kv(stateOf(ctx), params);
  TaskGrid grid(kv.cKv.shape[0], 0, 0, 1, stateOf(ctx).numSMs);
  if (grid.isEmpty())
    return MLA_STATUS_OK;
  return launchEarly(ctx, "gather_kv", gatherRows, grid.grid, grid.block, 0, kv,
                     grid);
}
