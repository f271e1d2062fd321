//===- GatherKvVectors.cu - gather_kv of rows in vectors, on CUDA ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp has a row at a time, all of which is on its way at once, and meanwhile
// finds out where its next row is.
//
//===----------------------------------------------------------------------===//

#include "CacheVectors.h"
#include "GatherKv.h"

using namespace mla;
using namespace mla::cuda;

namespace {

/// Warps of a block, and blocks that a multiprocessor holds at once.
constexpr int warps = 8, blocksOfSM = 6;
/// Packets of a latent that a lane reads before it writes the first.
constexpr int unroll = 2;

/// What a call says, in what its kernel needs.
struct GatherKvVectors {
  uint32_t rows = 0, windowLength = 1;
  int64_t windowStart = 0;
  int64_t longest = 0;  ///< Keys that a sequence can have.
  int64_t capacity = 0; ///< Keys that the page table has room for.
  int64_t columns = 0;  ///< Of the page table.
  FaultSite lengthSite = FaultSite::gather_kv_kv_lens;
  Tensor<1> kvLens;
  Tensor<2> pageTable;
  int64_t pages = 0;
  CacheVectors cache;
  uint32_t pePackets = 0;
  TokenRows cKv, kPe;
  const float *latentScale = nullptr, *peScale = nullptr;
  FaultRecord *fault = nullptr;

  bool init(const mla_gather_kv_params &params);
};

/// Where a row comes from.
struct Source {
  uint32_t sequence;
  int64_t position, length, page;

  /// Brings what load() reads to the L2, which may happen while it is still
  /// being written; for the first row of a line only, as all ask at once.
  static __device__ void prefetch(const GatherKvVectors &g, uint32_t row) {
    uint32_t sequence = row / g.windowLength;
    int64_t position = g.windowStart + (row - sequence * g.windowLength);
    if (position < g.capacity && position % g.cache.pageSize == 0)
      prefetchToL2(g.pageTable.at(sequence, position / g.cache.pageSize));
    if (position == g.windowStart)
      prefetchToL2(g.kvLens.at(sequence));
    if (row == 0 && g.latentScale)
      prefetchToL2(g.latentScale);
    if (row == 0 && g.peScale)
      prefetchToL2(g.peScale);
  }

  /// Reads what says so, but looks at none of it: that takes a while to come.
  __device__ void load(const GatherKvVectors &g, uint32_t row) {
    sequence = row / g.windowLength;
    position = g.windowStart + (row - sequence * g.windowLength);
    length = loadInt(g.kvLens, sequence);
    page = position < g.capacity
               ? loadInt(g.pageTable, sequence, logicalPage(g))
               : 0;
  }

  __device__ int64_t logicalPage(const GatherKvVectors &g) const {
    return static_cast<uint32_t>(position) / g.cache.pageSize;
  }
  __device__ uint32_t line(const GatherKvVectors &g) const {
    return static_cast<uint32_t>(position) % g.cache.pageSize;
  }

  /// Whether there is such a row, which can be reached.
  __device__ bool exists(const GatherKvVectors &g) const {
    return !isOutside(g.fault, g.lengthSite, sequence, length, g.longest + 1) &&
           position < length &&
           !isOutside(g.fault, FaultSite::gather_kv_page_table,
                      sequence * g.columns + logicalPage(g), page, g.pages);
  }
};

template <uint32_t from>
__device__ Packet loadTyped(const char *row, uint32_t packet) {
  const char *address = row + packet * packetBytes<from>;
  if constexpr (from != MLA_DTYPE_F8E4M3FN)
    return loadVector(address);
  auto vector = *reinterpret_cast<const uint2 *>(address);
  return {{vector.x, vector.y}};
}

template <uint32_t to, uint32_t from, bool blocks>
__global__ void __launch_bounds__(warps *warpLanes, blocksOfSM)
    gatherVectors(const __grid_constant__ GatherKvVectors g) {
  constexpr uint32_t peType = blocks ? to : from;
  uint32_t lane = threadIdx.x % warpLanes;
  uint32_t row = blockIdx.x * warps + threadIdx.x / warpLanes;
  uint32_t step = gridDim.x * warps;
  if (row < g.rows && lane == 0)
    Source::prefetch(g, row);
  waitForStream();
  Source source = {}, next = {};
  if (row < g.rows)
    next.load(g, row);
  float latentScale = 1, peScale = 1;
  // With a scale that means nothing every row is written as 0.
  bool scaled = true;
  if constexpr (from != to && !blocks)
    scaled =
        loadScale(g.fault, FaultSite::gather_kv_latent_scale, g.latentScale,
                  latentScale) &&
        loadScale(g.fault, FaultSite::gather_kv_pe_scale, g.peScale, peScale);
  for (; row < g.rows; row += step) {
    source = next;
    if (row + step < g.rows)
      next.load(g, row + step);
    bool exists = source.exists(g);
    int64_t page = source.page;
    uint32_t line = source.line(g);
    char *out = g.cKv.row(row);
    const char *latent = g.cache.latentRow(page, line);
    Packet pe = {};
    if (exists && lane < g.pePackets)
      pe = loadTyped<peType>(g.cache.peRow(page, line), lane);
    for (uint32_t p = lane; p < g.cache.latentPackets;
         p += unroll * warpLanes) {
      Packet packets[unroll] = {};
      float factor[unroll];
#pragma unroll
      for (int i = 0; i < unroll; ++i) {
        uint32_t at = p + i * warpLanes;
        factor[i] = latentScale;
        if (!exists || at >= g.cache.latentPackets)
          continue;
        packets[i] = loadTyped<from>(latent, at);
        if constexpr (blocks)
          factor[i] = *g.cache.scale(page, line, at);
      }
#pragma unroll
      for (int i = 0; i < unroll; ++i)
        if (uint32_t at = p + i * warpLanes; at < g.cache.latentPackets)
          storeVector<to>(out + at * packetBytes<to>,
                          scaled ? convert(packets[i], from, to, factor[i])
                                 : Packet{});
    }
    if (lane < g.pePackets)
      storeVector<to>(g.kPe.row(row) + lane * packetBytes<to>,
                      scaled ? convert(pe, peType, to, peScale) : Packet{});
  }
}

bool GatherKvVectors::init(const mla_gather_kv_params &params) {
  Packets<3> latentRows(params.cache_latent), peRows(params.cache_pe);
  Packets<2> cKvRows(params.c_kv), kPeRows(params.k_pe);
  kvLens = Tensor<1>(params.kv_lens);
  pageTable = Tensor<2>(params.page_table);
  pages = latentRows.shape[0];
  columns = pageTable.shape[1];
  int64_t size = latentRows.shape[1];
  const int64_t most = INT_MAX;
  if (!latentRows.vectors || !peRows.vectors || !cKvRows.vectors ||
      !kPeRows.vectors || cKvRows.shape[0] > most / 2 || size > most ||
      latentRows.width() > most || kPeRows.width() > warpLanes * packetSize ||
      columns > most / std::max<int64_t>(size, 1) ||
      params.window_start > most - params.window_length)
    return false;
  rows = static_cast<uint32_t>(cKvRows.shape[0]);
  windowStart = params.window_start;
  windowLength = static_cast<uint32_t>(params.window_length);
  longest = capacity = columns * size;
  if (params.max_kv > 0 && params.max_kv < longest) {
    longest = params.max_kv;
    lengthSite = FaultSite::gather_kv_max_kv;
  }
  cache = CacheVectors(latentRows, peRows, Tensor<3>(params.cache_scales));
  pePackets = static_cast<uint32_t>(numPackets(kPeRows.width()));
  cKv = TokenRows(cKvRows);
  kPe = TokenRows(kPeRows);
  latentScale = CacheRows::scalarOf(params.latent_scale);
  peScale = CacheRows::scalarOf(params.pe_scale);
  return true;
}

using Kernel = void (*)(GatherKvVectors);

template <uint32_t to> Kernel chooseFrom(uint32_t from, bool blocks) {
  if (from == to)
    return gatherVectors<to, to, false>;
  if (from == MLA_DTYPE_F8E4M3FN)
    return blocks ? gatherVectors<to, MLA_DTYPE_F8E4M3FN, true>
                  : gatherVectors<to, MLA_DTYPE_F8E4M3FN, false>;
  return nullptr;
}

/// The kernel for these types; null where there is none.
Kernel choose(uint32_t to, uint32_t from, bool blocks) {
  if (to == MLA_DTYPE_BF16)
    return chooseFrom<MLA_DTYPE_BF16>(from, blocks);
  if (to == MLA_DTYPE_F16)
    return chooseFrom<MLA_DTYPE_F16>(from, blocks);
  return nullptr;
}

} // namespace

cudaError_t mla::cuda::loadGatherKvVectors() {
  const uint32_t fp8 = MLA_DTYPE_F8E4M3FN;
  for (uint32_t to : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
    if (cudaError_t error =
            loadKernels(choose(to, to, false), choose(to, fp8, false),
                        choose(to, fp8, true)))
      return error;
  return cudaSuccess;
}

mla_status mla::cuda::gatherKvVectors(mla_context &ctx,
                                      const mla_gather_kv_params &params,
                                      bool &taken) {
  bool blocks = params.cache_scales;
  uint32_t to = params.c_kv->dtype, from = params.cache_latent->dtype;
  Kernel kernel = choose(to, from, blocks);
  // The parts are of one type, but for the pe columns beside block scales.
  if ((params.cache_pe && params.cache_pe->dtype != (blocks ? to : from)) ||
      (params.k_pe && params.k_pe->dtype != to))
    kernel = nullptr;
  GatherKvVectors gather;
  taken = kernel && gather.init(params);
  if (!taken || gather.rows == 0)
    return MLA_STATUS_OK;
  gather.fault = stateOf(ctx).fault;
  int64_t blocksNeeded = ceilDiv(gather.rows, warps);
  int64_t resident = int64_t{stateOf(ctx).numSMs} * blocksOfSM;
  return launchEarly(
      ctx, "gather_kv", kernel,
      dim3(static_cast<unsigned>(std::min(blocksNeeded, resident))),
      dim3(warps * warpLanes), 0, gather);
}
