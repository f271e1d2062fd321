//===- schedule.cu - The split of ragged sequences, on CUDA ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionSplit.h"
#include "Kernels.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int numThreads = 1024;

struct ScheduleParams {
  Tensor<1> kvLens, cuQ, out;
  int numSeqs, numHeads, pageSize, tileRows, numCTAs;
};

/// What a sequence costs. The attention checks lengths and offsets; here they
/// only must not overflow.
struct SequenceCost {
  int items;
  int64_t each; ///< Of an item.
  int64_t most; ///< Of any sequence: their sum stays below 2^62.

  __device__ SequenceCost(const ScheduleParams &p, int lanes, int tileCost,
                          int b)
      : most((int64_t(1) << 62) / p.numSeqs) {
    int64_t tokens = loadInt(p.cuQ, b + 1) - loadInt(p.cuQ, b);
    int64_t rows = max(min(tokens, int64_t(1) << 24), int64_t(0)) * p.numHeads;
    int64_t rowTiles = min((rows + p.tileRows - 1) / p.tileRows,
                           static_cast<int64_t>(INT32_MAX - Split::maxLanes));
    items = Split::itemsOf(static_cast<int>(rowTiles), lanes);
    int64_t length =
        min(max(loadInt(p.kvLens, b), int64_t(0)), int64_t(1) << 37);
    each = (length + blockKeys - 1) / blockKeys + tileCost;
  }
  __device__ int64_t total() const { return min(items * each, most); }
};

/// Row tiles that most sequences have.
__device__ int chooseLanes(const ScheduleParams &p) {
  int64_t tokens = p.numSeqs > 0 ? loadInt(p.cuQ, p.numSeqs) : 0;
  return Split::lanesOf(min(tokens, int64_t(1) << 24), p.numSeqs, p.numHeads,
                        p.tileRows, p.numCTAs);
}

/// Sequences of a thread.
__device__ int runOf(const ScheduleParams &p) {
  return (p.numSeqs + numThreads - 1) / numThreads;
}

/// What the items of one or more sequences have in common.
struct Items {
  int count;               ///< Of very many less.
  int leastCost, mostCost; ///< Of one.

  __device__ void add(const SequenceCost &cost) {
    if (cost.items <= 0)
      return;
    int each = static_cast<int>(min(cost.each, int64_t(INT32_MAX)));
    count = min(count + min(cost.items, many), many);
    leastCost = min(leastCost, each);
    mostCost = max(mostCost, each);
  }
  /// To what all threads have, which is in shared memory. By all threads.
  __device__ void addTo(Items &all) const {
    int sum = __reduce_add_sync(~0u, count);
    int least = __reduce_min_sync(~0u, leastCost);
    int most = __reduce_max_sync(~0u, mostCost);
    if (threadIdx.x % 32 != 0)
      return;
    atomicAdd(&all.count, sum);
    atomicMin(&all.leastCost, least);
    atomicMax(&all.mostCost, most);
  }

  /// Far more than parts; of all threads together their sum is an int.
  static constexpr int many = INT32_MAX / numThreads;
};

/// Writes where part `part` begins. `sums` has where each thread's run of
/// sequences ends in the line of all items, with what tiles cost beside their
/// blocks; if `cut` doesn't count that, all items cost `each` there.
__device__ void putStart(const ScheduleParams &p, int lanes,
                         const Split::Cut &cut, int64_t each,
                         const int64_t (&sums)[numThreads], int64_t part) {
  int64_t blocks = each - Split::tileCost, at = cut.begin(part);
  int64_t line = cut.tileCost == 0 ? at / blocks * each : at;
  int thread =
      firstBehind(numThreads - 1, [&](int i) { return sums[i] > line; });
  int64_t before = thread > 0 ? sums[thread - 1] : 0;
  int b = thread * runOf(p);
  for (; b < p.numSeqs - 1; ++b) {
    int64_t cost = SequenceCost(p, lanes, Split::tileCost, b).total();
    if (line < before + cost)
      break;
    before += cost;
  }
  if (cut.tileCost == 0)
    before = before / each * blocks;
  SequenceCost cost(p, lanes, cut.tileCost, b);
  int64_t inside = at - before, index = ScheduleStarts + 3 * part;
  storeInt(p.out, index, b);
  storeInt(p.out, index + 1, inside / cost.each);
  // What a tile costs beside its blocks comes before them.
  storeInt(p.out, index + 2,
           max(inside % cost.each - cut.tileCost, int64_t(0)));
}

/// One block of threads: each adds up the costs of a run of sequences, a scan
/// gives where the runs end in the line of all, and then each finds where a
/// part begins.
__global__ void __launch_bounds__(numThreads)
    scheduleKernel(const __grid_constant__ ScheduleParams p) {
  __shared__ int64_t sums[numThreads];
  __shared__ Items items;
  waitForStream();
  int thread = threadIdx.x, lanes = chooseLanes(p);
  int run = runOf(p);
  int begin = min(thread * run, p.numSeqs), end = min(begin + run, p.numSeqs);

  const Items none = {0, INT32_MAX, 0};
  if (thread == 0)
    items = none;
  __syncthreads();
  int64_t own = 0;
  Items ownItems = none;
  for (int b = begin; b < end; ++b) {
    SequenceCost cost(p, lanes, Split::tileCost, b);
    own += cost.total();
    ownItems.add(cost);
  }
  ownItems.addTo(items);
  sums[thread] = own;
  __syncthreads();
  for (int step = 1; step < numThreads; step *= 2) {
    int64_t before = thread >= step ? sums[thread - step] : 0;
    __syncthreads();
    sums[thread] += before;
    __syncthreads();
  }
  int64_t total = sums[numThreads - 1];
  bool areEqual =
      items.leastCost == items.mostCost && items.mostCost < INT32_MAX;
  int64_t each = areEqual ? items.leastCost : 0;
  Split::Cut cut =
      Split::cutItems(items.count, each, total, max(p.numCTAs / lanes, 1));

  auto put = [&](int64_t index, int64_t value) {
    storeInt(p.out, index, value);
  };
  for (int i = thread; i < ScheduleLengths; i += numThreads) {
    bool isStart =
        i >= ScheduleStarts && i < ScheduleStarts + 3 * (cut.parts + 1);
    if (!isStart)
      put(i, 0);
    else if (cut.begin((i - ScheduleStarts) / 3) == cut.total)
      // The end of all.
      put(i, (i - ScheduleStarts) % 3 == 0 ? p.numSeqs : 0);
  }
  __syncthreads();
  if (thread == 0) {
    put(ScheduleMagic, scheduleMagic);
    put(ScheduleNumSeqs, p.numSeqs);
    put(ScheduleNumHeads, p.numHeads);
    put(SchedulePageSize, p.pageSize);
    put(ScheduleNumCTAs, p.numCTAs);
    put(ScheduleTileRows, p.tileRows);
    put(ScheduleLanes, lanes);
    put(ScheduleParts, cut.parts);
    if (p.cuQ.data)
      put(ScheduleLengths + 2 * static_cast<int64_t>(p.numSeqs),
          loadInt(p.cuQ, p.numSeqs));
  }
  for (int b = begin; b < end; ++b) {
    put(ScheduleLengths + 2 * static_cast<int64_t>(b), loadInt(p.kvLens, b));
    put(ScheduleLengths + 2 * static_cast<int64_t>(b) + 1, loadInt(p.cuQ, b));
  }
  for (int part = thread; part < cut.parts; part += numThreads)
    if (cut.begin(part) < cut.total)
      putStart(p, lanes, cut, each, sums, part);
}

} // namespace

mla_status mla::cuda::enqueueSchedule(mla_context &ctx, const char *op,
                                      const Tensor<1> &kvLens,
                                      const Tensor<1> &cuQ,
                                      const Tensor<1> &schedule,
                                      int64_t numHeads, int64_t pageSize,
                                      int tileRows) {
  ScheduleParams p{kvLens,
                   cuQ,
                   schedule,
                   static_cast<int>(kvLens.shape[0]),
                   static_cast<int>(numHeads),
                   static_cast<int>(pageSize),
                   tileRows,
                   attentionCTAs(ctx)};
  return launchEarly(ctx, op, scheduleKernel, 1, numThreads, 0, p);
}

cudaError_t mla::cuda::load_schedule(const State &) {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, scheduleKernel);
}

mla_status mla::cuda::schedule(mla_context &ctx,
                               const mla_schedule_params &params) {
  return enqueueSchedule(ctx, "schedule", Tensor<1>(params.kv_lens),
                         Tensor<1>(params.cu_q), Tensor<1>(params.schedule),
                         params.num_heads, params.page_size, maxTileRows);
}
