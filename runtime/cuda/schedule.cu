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
    int64_t length = max(loadInt(p.kvLens, b), int64_t(0));
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

/// What all items of a call have in common.
struct Items {
  unsigned long long count;
  int leastCost, mostCost; ///< Of one.
};

/// The first part that begins at unit `at` or behind it.
__device__ int64_t partOf(int64_t at, const Split::Cut &cut) {
  int64_t low = 0, high = cut.parts; // begins before; doesn't, or is the end
  if (at <= 0)
    return 0;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    (cut.begin(middle) < at ? low : high) = middle;
  }
  return high;
}

/// One block of threads: each adds up the costs of a run of sequences, a scan
/// gives where the run begins in the line of all, and each writes the starts of
/// the parts that fall into its run.
__global__ void __launch_bounds__(numThreads)
    scheduleKernel(const __grid_constant__ ScheduleParams p) {
  __shared__ int64_t sums[numThreads];
  __shared__ Items items;
  waitForStream();
  int thread = threadIdx.x, lanes = chooseLanes(p);
  int run = (p.numSeqs + numThreads - 1) / numThreads;
  int begin = min(thread * run, p.numSeqs), end = min(begin + run, p.numSeqs);

  if (thread == 0)
    items = {0, INT32_MAX, 0};
  __syncthreads();
  int64_t own = 0;
  for (int b = begin; b < end; ++b) {
    SequenceCost cost(p, lanes, Split::tileCost, b);
    own += cost.total();
    if (cost.items > 0) {
      int each = static_cast<int>(min(cost.each, int64_t(INT32_MAX)));
      atomicAdd(&items.count, static_cast<unsigned long long>(cost.items));
      atomicMin(&items.leastCost, each);
      atomicMax(&items.mostCost, each);
    }
  }
  sums[thread] = own;
  __syncthreads();
  for (int step = 1; step < numThreads; step *= 2) {
    int64_t before = thread >= step ? sums[thread - step] : 0;
    __syncthreads();
    sums[thread] += before;
    __syncthreads();
  }
  int64_t total = sums[numThreads - 1], at = sums[thread] - own;
  bool areEqual =
      items.leastCost == items.mostCost && items.mostCost < INT32_MAX;
  int64_t each = areEqual ? items.leastCost : 0;
  Split::Cut cut = Split::cutItems(static_cast<int64_t>(items.count), each,
                                   total, max(p.numCTAs / lanes, 1));
  // Without what tiles cost beside their blocks the run begins elsewhere.
  if (cut.tileCost == 0)
    at = at / each * (each - Split::tileCost);

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
  // The first part that doesn't begin before the run.
  int64_t part = total > 0 ? partOf(at, cut) : cut.parts;
  for (int b = begin; b < end; ++b) {
    put(ScheduleLengths + 2 * static_cast<int64_t>(b), loadInt(p.kvLens, b));
    put(ScheduleLengths + 2 * static_cast<int64_t>(b) + 1, loadInt(p.cuQ, b));
    SequenceCost cost(p, lanes, cut.tileCost, b);
    // Parts whose start lies in [at, at + cost).
    for (; part < cut.parts; ++part) {
      int64_t inside = cut.begin(part) - at;
      if (inside >= cost.total())
        break;
      int64_t index = ScheduleStarts + 3 * part;
      put(index, b);
      put(index + 1, inside / cost.each);
      // What a tile costs beside its blocks comes before them.
      put(index + 2, max(inside % cost.each - cut.tileCost, int64_t(0)));
    }
    at += cost.total();
  }
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
