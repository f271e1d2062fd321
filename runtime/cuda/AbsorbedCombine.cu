//===- AbsorbedCombine.cu - Merges the partial states of split tiles ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// AbsorbedMerge.h in a kernel of its own, for attention that doesn't merge by
// itself.
//
// Where there is little to merge it is latency that counts. Each CTA finds all
// tiles itself (AbsorbedSplitItems.h), and a warp has its pieces' states under
// way together with what they weigh.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedMergeSums.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::absorbed_merge;

namespace {

constexpr int ctasEach = 2; ///< On a multiprocessor.
using Block = Team<mergeThreads, 0>;

struct AnyOutput {
  static constexpr bool countsIn32Bits = false;
  static __device__ int tileRows(const AbsorbedParams &p) {
    return p.shape.tileRows;
  }
  static __device__ void store(const AbsorbedCall &call, const AbsorbedParams &,
                               int t, int h, int column, float4 values) {
    call.storeFour(t, h, column, values);
  }
};

template <bool Indexed>
__global__ void __launch_bounds__(mergeThreads, ctasEach)
    combineKernel(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(16) char shared[];
  __shared__ UnitSums sums;
  AbsorbedCall call(p);
  SplitItems items(shared, p.shape.numCTAs);
  FindSplitItems<Indexed, Block> found(p, items, threadIdx.x);
  // What the attention itself waited for is there when it lets this kernel
  // start; only its states are to be waited for.
  if (found.load())
    found.run();
  waitForStream();
  Merge<Block, AnyOutput, 2, 6>(call, p, items, sums, threadIdx.x)
      .run([](int &, int &) { return false; });
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombine(mla_context &ctx,
                                            const AbsorbedParams &params) {
  int64_t vectors = ceilDiv(params.latentWidth, vectorColumns);
  // Not more CTAs than there can be units.
  int64_t units = static_cast<int64_t>(params.tokens) * params.heads *
                  std::max<int64_t>(vectors, 1);
  auto grid = static_cast<unsigned>(
      std::min<int64_t>(ctasEach * params.shape.numCTAs, units));
  return launchEarly(
      ctx, "absorbed_attention",
      params.hasIndices ? combineKernel<true> : combineKernel<false>, grid,
      mergeThreads, SplitItems::bytes(params.shape.numCTAs), params);
}

cudaError_t mla::cuda::loadAbsorbedCombine() {
  return loadKernels(combineKernel<false>, combineKernel<true>);
}
