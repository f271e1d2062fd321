//===- AppendVectors.cu - append of 16-bit rows in vectors, on CUDA -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Warps go over the tasks of all tokens, as many as the GPU holds at once;
// where there is little to do, tasks are as small as they can be, to be spread
// over the multiprocessors.
//
//===----------------------------------------------------------------------===//

#include "Append.h"
#include "AppendTasks.h"

#include <numeric>

using namespace mla;
using namespace mla::cuda;

namespace {

/// Blocks that a multiprocessor holds at once.
constexpr int blocksOfSM = 4;

template <typename V>
__global__ void __launch_bounds__(maxWarps *warpLanes, blocksOfSM)
    appendRows(const __grid_constant__ AppendVectors a) {
  uint32_t warp =
      blockIdx.x * (blockDim.x / warpLanes) + threadIdx.x / warpLanes;
  uint32_t t = a.byTasks.divide(warp), task = warp - t * a.tasksOfToken;
  if (task == 0 && t < a.tokens && laneOfWarp() == 0)
    Decision<V>::prefetch(a, t);
  waitForStream();
  while (warp < a.warps && t < a.tokens) {
    performTask<V>(a, t, task);
    t += a.stepTokens;
    task += a.stepTasks;
    if (task >= a.tasksOfToken) {
      task -= a.tasksOfToken;
      ++t;
    }
  }
}

} // namespace

bool AppendVectors::init(const mla_append_params &params) {
  Packets<2> cKvRows(params.c_kv), kPeRows(params.k_pe),
      kPeOutRows(params.k_pe_out), table(params.cos_sin);
  Packets<3> queryRows(params.query), nopePart(params.q_nope),
      pePart(params.q_pe), latentRows(params.cache_latent),
      cachePeRows(params.cache_pe);
  bool rotates = params.rope_style != MLA_ROPE_NONE;
  int64_t inputTokens = 0;
  for (const mla_tensor *tensor :
       {params.query, params.c_kv, params.k_pe, params.k_pe_out})
    if (tensor)
      inputTokens = tensor->shape[0];
  // The pe columns: what q_pe fills, or what rotates in place.
  int64_t peWidth = params.q_pe ? pePart.width() : params.rope_head_dim;
  if (!params.q_pe && rotates && queryRows)
    pePart =
        Packets<3>(queryRows.columns(queryRows.width() - peWidth, peWidth));
  int64_t headCount = params.query ? queryRows.shape[1] : 0;
  // Of tokens that aren't good, columns are cleared to which nothing is moved.
  bool mayClear = params.cu_q || params.query_scale || params.latent_scale ||
                  params.pe_scale;
  clearsOnly = !pePart && mayClear && queryRows.width() > nopePart.width();
  if (clearsOnly && !cKvRows)
    return false;
  if (!pePart && !nopePart && !clearsOnly)
    headCount = 0;
  int64_t nopePackets = numPackets(nopePart.width());
  int64_t peLanes = 1;
  for (int64_t width : {pePart.width(), kPeRows.width()})
    if (width > 0)
      peLanes = width / packetSize;
  const int64_t most = INT_MAX;
  bool fits = cKvRows.vectors && kPeRows.vectors && kPeOutRows.vectors &&
              queryRows.vectors && nopePart.vectors && pePart.vectors &&
              latentRows.vectors && cachePeRows.vectors && table.vectors &&
              peLanes <= warpLanes && inputTokens <= most / 2 &&
              HeadRows::canHold(queryRows) && HeadRows::canHold(nopePart) &&
              HeadRows::canHold(pePart) &&
              latentRows.shape[0] * latentRows.shape[1] <= most &&
              cKvRows.width() <= most && headCount <= 65536 &&
              queryRows.width() * queryRows.size <= most;
  if (!fits)
    return false;

  tokens = static_cast<uint32_t>(inputTokens);
  heads = static_cast<uint32_t>(headCount);
  byPeLanes = Divisor(static_cast<uint32_t>(peLanes));
  peRows = static_cast<uint32_t>(warpLanes / peLanes);
  byNopePackets =
      Divisor(static_cast<uint32_t>(std::max<int64_t>(nopePackets, 1)));
  if (headCount * nopePackets > byNopePackets.exactBelow())
    return false;
  qPe = HeadRows(pePart);
  qNope = HeadRows(nopePart);
  query = HeadRows(queryRows);
  clearFrom = static_cast<uint32_t>(nopePart.width() * queryRows.size);
  queryWidth = static_cast<uint32_t>(queryRows.width() * queryRows.size);
  queryPe = queryWidth - static_cast<uint32_t>(pePart.width() * queryRows.size);
  copies = (pePart || nopePart) && queryRows.size == 2;
  through = params.rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE;
  if (rotates) {
    Tensor<1> rows(params.positions);
    positions = rows.data;
    positionStride = rows.strides[0];
    widePositions = rows.dtype == MLA_DTYPE_I64;
    cosSin = table.data;
    cosSinRow = table.strides[0];
    tableRows = table.shape[0];
  }
  cKv = TokenRows(cKvRows);
  kPe = TokenRows(kPeRows);
  kPeOut = TokenRows(kPeOutRows);
  if (params.cache_latent) {
    Tensor<1> rows(params.slots);
    slots = rows.data;
    slotStride = rows.strides[0];
    numSlots = latentRows.shape[0] * latentRows.shape[1];
    cache =
        CacheVectors(latentRows, cachePeRows, Tensor<3>(params.cache_scales));
  }
  Tensor<1> offsets(params.cu_q);
  if (offsets) {
    sequences = offsets.shape[0] - 1;
    cuQ = reinterpret_cast<const int32_t *>(offsets.at(sequences));
  }
  queryScale = CacheRows::scalarOf(params.query_scale);
  latentScale = CacheRows::scalarOf(params.latent_scale);
  peScale = CacheRows::scalarOf(params.pe_scale);
  return true;
}

/// The least multiple of `unit` with which `count` is cut into as few pieces as
/// with `most`, which is one too.
static int64_t evenly(int64_t count, int64_t most, int64_t unit) {
  int64_t pieces = std::max<int64_t>(ceilDiv(count, most), 1);
  return std::max<int64_t>(ceilDiv(ceilDiv(count, pieces), unit), 1) * unit;
}

void AppendVectors::plan(int numSMs, int &blocks, int &warpsOfBlock) {
  int64_t nopePackets = int64_t{heads} * byNopePackets.number;
  /// Counts are of what a warp takes at once.
  auto cut = [&](int64_t headsOfTask, int64_t nopeOfTask,
                 int64_t latentOfTask) {
    auto split = [](int64_t count, int64_t times, int64_t unit,
                    uint32_t &perTask) {
      int64_t size = evenly(count, times * unit, unit);
      perTask = static_cast<uint32_t>(size);
      return static_cast<uint32_t>(ceilDiv(count, size));
    };
    peTasks = split(qPe.data ? heads : 0, headsOfTask, peRows, headsPerTask);
    nopeTasks =
        split(qNope.data ? nopePackets : 0, nopeOfTask, warpLanes, nopePerTask);
    latentTasks =
        split(cache.latentPackets, latentOfTask, warpLanes, latentPerTask);
    tasksOfToken = peTasks + nopeTasks + latentTasks + (kPe.data ? 1 : 0);
    return int64_t{tokens} * tasksOfToken;
  };
  int64_t resident = int64_t{numSMs} * blocksOfSM * maxWarps;
  int64_t tasks = cut(1, 1, 1);
  if (tasks > (copies ? resident / 2 : resident))
    tasks = cut(unroll, unroll, latentUnroll);
  if (tasks > 4 * resident) {
    tasks = cut(unroll * 4, copies ? unroll : 2, latentUnroll);
    keyTokens = copies ? 1 : peRows;
  }
  warpsOfBlock = static_cast<int>(
      std::clamp<int64_t>(ceilDiv(tasks, numSMs), 1, maxWarps));
  // Blocks that stay save what a block's start costs; those that come one after
  // another go through memory in order, which counts where most of the work is
  // to copy.
  byTasks = Divisor(std::max(tasksOfToken, 1u));
  int64_t most =
      copies ? byTasks.exactBelow() / maxWarps : int64_t{numSMs} * blocksOfSM;
  blocks =
      static_cast<int>(std::min<int64_t>(ceilDiv(tasks, warpsOfBlock), most));
  warps = static_cast<uint32_t>(blocks * warpsOfBlock);
  if (warps < tasks) // or a warp could get tasks of one kind only
    while (std::gcd(warps, tasksOfToken) > 1)
      --warps;
  stepTokens = warps / byTasks.number;
  stepTasks = warps % byTasks.number;
}

namespace {

using Kernel = void (*)(AppendVectors);

template <int style, uint32_t input>
Kernel chooseTypes(uint32_t query, uint32_t latent, bool blocks) {
  const uint32_t fp8 = MLA_DTYPE_F8E4M3FN;
  if (query == input && latent == input)
    return appendRows<AppendVariant<style, input, input, input, false>>;
  if (query == input && latent == fp8)
    return blocks ? appendRows<AppendVariant<style, input, input, fp8, true>>
                  : appendRows<AppendVariant<style, input, input, fp8, false>>;
  if (query == fp8 && latent == fp8 && !blocks)
    return appendRows<AppendVariant<style, input, fp8, fp8, false>>;
  return nullptr;
}

template <int style>
Kernel chooseInput(uint32_t input, uint32_t query, uint32_t latent,
                   bool blocks) {
  if (input == MLA_DTYPE_BF16)
    return chooseTypes<style, MLA_DTYPE_BF16>(query, latent, blocks);
  if (input == MLA_DTYPE_F16)
    return chooseTypes<style, MLA_DTYPE_F16>(query, latent, blocks);
  return nullptr;
}

/// The kernel for these types; null where there is none.
Kernel choose(int64_t style, uint32_t input, uint32_t query, uint32_t latent,
              bool blocks) {
  switch (style) {
  case MLA_ROPE_NONE:
    return chooseInput<MLA_ROPE_NONE>(input, query, latent, blocks);
  case MLA_ROPE_INTERLEAVED:
    return chooseInput<MLA_ROPE_INTERLEAVED>(input, query, latent, blocks);
  default:
    return chooseInput<MLA_ROPE_HALF>(input, query, latent, blocks);
  }
}

/// For the types of a call, an absent tensor's being the inputs'.
Kernel choose(const mla_append_params &params) {
  uint32_t input = MLA_DTYPE_NONE;
  for (const mla_tensor *tensor : {params.c_kv, params.k_pe, params.q_nope,
                                   params.q_pe, params.k_pe_out, params.query})
    if (tensor && input == MLA_DTYPE_NONE)
      input = tensor->dtype;
  auto typeOf = [&](const mla_tensor *tensor) {
    return tensor ? tensor->dtype : input;
  };
  for (const mla_tensor *tensor :
       {params.c_kv, params.k_pe, params.q_nope, params.q_pe, params.k_pe_out})
    if (typeOf(tensor) != input)
      return nullptr;
  uint32_t latent = typeOf(params.cache_latent);
  bool blocks = params.cache_scales;
  if (params.cache_pe && params.cache_pe->dtype != (blocks ? input : latent))
    return nullptr;
  return choose(params.rope_style, input, typeOf(params.query), latent, blocks);
}

} // namespace

bool mla::cuda::appendWaits() {
  cudaFuncAttributes attributes = {};
  Kernel kernel = choose(MLA_ROPE_NONE, MLA_DTYPE_BF16, MLA_DTYPE_BF16,
                         MLA_DTYPE_BF16, false);
  return cudaFuncGetAttributes(&attributes, kernel) == cudaSuccess &&
         attributes.ptxVersion >= 90;
}

cudaError_t mla::cuda::loadAppendVectors() {
  const uint32_t fp8 = MLA_DTYPE_F8E4M3FN;
  for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF})
    for (uint32_t input : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
      for (Kernel kernel : {choose(style, input, input, input, false),
                            choose(style, input, input, fp8, false),
                            choose(style, input, input, fp8, true),
                            choose(style, input, fp8, fp8, false)})
        if (cudaError_t error = loadKernels(kernel))
          return error;
  return cudaSuccess;
}

mla_status mla::cuda::appendVectors(mla_context &ctx,
                                    const mla_append_params &params,
                                    bool &taken) {
  AppendVectors append;
  Kernel kernel = choose(params);
  taken = kernel && append.init(params);
  if (!taken)
    return MLA_STATUS_OK;
  append.fault = stateOf(ctx).fault;
  int blocks = 0, warps = 0;
  append.plan(stateOf(ctx).numSMs, blocks, warps);
  if (blocks == 0)
    return MLA_STATUS_OK;
  return launchEarly(ctx, "append", kernel, dim3(static_cast<unsigned>(blocks)),
                     dim3(static_cast<unsigned>(warps * warpLanes)), 0, append);
}
