//===- ExpandedAttentionMma.cu - Expanded attention on tensor cores -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A block takes 128 tokens of a sequence and one head, and goes over the keys
// that they see, 64 at a time, with the online softmax in registers
// (FlashAttention-2, arXiv:2307.08691). A warp owns whole rows: the logits that
// its products leave in registers are, packed, the weights that the next
// products take. Keys and values have a buffer each; the next keys are fetched
// during the product with the values, and those during the product with the
// keys.
//
//===----------------------------------------------------------------------===//

#include "ExpandedAttentionMma.h"

#include "ExpandedMmaOutput.h"

#include <cmath>

using namespace mla;
using namespace mla::cuda;
using namespace mla::cuda::expanded_mma;

namespace {

template <typename T, int KeyWidth, int ValueWidth, int RowBlocks>
__global__ void
__launch_bounds__(Kernel<T, KeyWidth, ValueWidth, RowBlocks>::threads,
                  Kernel<T, KeyWidth, ValueWidth, RowBlocks>::blocksPerSM)
    attend(const __grid_constant__ Params params) {
  using K = Kernel<T, KeyWidth, ValueWidth, RowBlocks>;
  extern __shared__ __align__(128) char block[];
  auto &shared = *reinterpret_cast<typename K::Shared *>(block);
  auto &tiles = shared.tiles;
  waitForStream();
  if (blockIdx.x == 0)
    params.keys.check(params.fault);
  Task &task = shared.task;
  {
    Task found;
    if (!findTask(params, found))
      return;
    if (threadIdx.x == 0)
      task = found;
    __syncthreads();
  }
  int numKeys = task.bound(task.numRows() - 1);
  if (numKeys > 0) {
    copyQuery<K, T, KeyWidth, ValueWidth>(params, task, tiles);
    copyKeys<K, T, KeyWidth, ValueWidth>(params, task, 0, numKeys, tiles);
    commitCopies();
  }
  shared.nonFinite.clear();

  int lane = threadIdx.x % 32, firstRow = threadIdx.x / 32 * K::warpRows;
  RowStates<RowBlocks, ValueWidth> state = {};
  float sink = negativeInfinity;
  if (params.sinks && !task.rows.isPadding)
    sink = *reinterpret_cast<const float *>(params.sinks.at(task.head));
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      state.top[i][half] = sink * 1.44269504f;
      state.total[i][half] = lane % 4 == 0 && sink != negativeInfinity;
    }

  // The first row sees the least, and a warp's last row the most of its rows.
  int seenByAll = task.bound(0);
  int seenByWarp = task.bound(firstRow + K::warpRows - 1);
  for (int first = 0; first < numKeys; first += tileKeys) {
    bool hides = first + tileKeys > seenByAll, sees = first < seenByWarp;
    waitForCopies<0>();
    __syncthreads();
    copyValues<K, T, KeyWidth, ValueWidth>(params, task, first, numKeys, tiles);
    commitCopies();
    float logits[RowBlocks][tileKeys / 8][4];
    if (sees)
      multiplyKeys<T, KeyWidth>(tiles.query, tiles.keys, firstRow, logits);
    waitForCopies<0>();
    __syncthreads();
    if (first + tileKeys < numKeys) {
      copyKeys<K, T, KeyWidth, ValueWidth>(params, task, first + tileKeys,
                                           numKeys, tiles);
      commitCopies();
    }
    if (hides) {
      replaceNonFinite<K, T, ValueWidth>(first, shared);
      __syncthreads();
    }
    if (!sees)
      continue;
    if (hides) {
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          int row = firstRow + 16 * i + 8 * half + lane / 4;
          int bound = task.bound(row) - first - lane % 4 * 2;
#pragma unroll
          for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
            for (int e = 0; e < 2; ++e)
              if (8 * n + e >= bound)
                logits[i][n][2 * half + e] = negativeInfinity;
        }
    }
    softmax(params.scale, logits, state);
    multiplyValues<T>(tiles.values, logits, state);
  }
  // The tiles make room for the output.
  __syncthreads();
  finish<K>(params, task, firstRow, state, shared);
  __syncwarp();
  storeRows<K>(params, task, firstRow, shared.out);
}

/// Calls `visit` with the kernel for the widths and its shared memory.
template <typename T, typename Visitor>
auto visitKernel(int64_t keyWidth, int64_t valueWidth, Visitor visit) {
  if (keyWidth <= 128 && valueWidth <= 128)
    return visit(
        attend<T, 128, 128, 2>,
        static_cast<int>(sizeof(typename Kernel<T, 128, 128, 2>::Shared)),
        Kernel<T, 128, 128, 2>::threads);
  if (keyWidth <= 192 && valueWidth <= 128)
    return visit(
        attend<T, 192, 128, 2>,
        static_cast<int>(sizeof(typename Kernel<T, 192, 128, 2>::Shared)),
        Kernel<T, 192, 128, 2>::threads);
  return visit(
      attend<T, 256, 256, 1>,
      static_cast<int>(sizeof(typename Kernel<T, 256, 256, 1>::Shared)),
      Kernel<T, 256, 256, 1>::threads);
}

template <typename Visitor>
auto visitKernel(const mla_expanded_attention_params &params, Visitor visit) {
  int64_t keyWidth = params.q->shape[2], valueWidth = params.v->shape[2];
  return params.q->dtype == MLA_DTYPE_F16
             ? visitKernel<__half>(keyWidth, valueWidth, visit)
             : visitKernel<__nv_bfloat16>(keyWidth, valueWidth, visit);
}

template <int Rank> bool suits(const Tensor<Rank> &tensor, uint32_t dtype) {
  return !tensor || (tensor.dtype == dtype && tensor.hasVectors(16) &&
                     tensor.strides[0] == static_cast<int>(tensor.strides[0]));
}

} // namespace

bool mla::cuda::suitsExpandedAttentionMma(
    mla_context &ctx, const mla_expanded_attention_params &params) {
  uint32_t dtype = params.q->dtype;
  int64_t keyWidth = params.q->shape[2], valueWidth = params.v->shape[2];
  if ((dtype != MLA_DTYPE_F16 && dtype != MLA_DTYPE_BF16) || params.indices ||
      keyWidth > 256 || valueWidth > 256 || keyWidth % 8 != 0 ||
      valueWidth % 8 != 0 || params.k_nope->shape[2] % 8 != 0 ||
      valueWidth == 0)
    return false;
  // The largest logit is that of the largest product.
  auto scale = static_cast<float>(params.softmax_scale);
  return scale > 0 && std::isnormal(scale) &&
         suits(Tensor<3>(params.q), dtype) &&
         suits(Tensor<3>(params.k_nope), dtype) &&
         suits(Tensor<2>(params.k_pe), dtype) &&
         suits(Tensor<3>(params.v), dtype) &&
         visitKernel(params, [&](auto, int sharedBytes, int) {
           return sharedBytes <= stateOf(ctx).maxSharedBytes;
         });
}

mla_status
mla::cuda::expandedAttentionMma(mla_context &ctx,
                                const mla_expanded_attention_params &call) {
  Params params = {};
  params.q = Tensor<3>(call.q);
  params.kNope = Tensor<3>(call.k_nope);
  params.kPe = Tensor<2>(call.k_pe);
  params.v = Tensor<3>(call.v);
  params.o = Tensor<3>(call.o);
  params.lse = Tensor<2>(call.lse);
  params.sinks = Tensor<1>(call.sinks);
  params.keys = ExpandedKeys(call);
  params.scale = static_cast<float>(call.softmax_scale * 1.4426950408889634);
  params.storesVectors = params.o.hasVectors(4 * elementSize(params.o.dtype));
  params.fault = stateOf(ctx).fault;
  int64_t tokens = params.q.shape[0], heads = params.q.shape[1];
  params.tiles = TileShape{1, tileRows}.maxTiles(
      tokens, params.keys.tokens.numSequences());
  return visitKernel(call, [&](auto kernel, int sharedBytes, int threads) {
    return launchEarly(ctx, "expanded_attention", kernel,
                       dim3(static_cast<unsigned>(params.tiles * heads)),
                       dim3(threads), sharedBytes, params);
  });
}

cudaError_t mla::cuda::loadExpandedAttentionMma(const State &state) {
  auto allow = [&](auto kernel, int sharedBytes, int) {
    cudaFuncAttributes attributes;
    if (cudaError_t error = cudaFuncGetAttributes(&attributes, kernel))
      return error;
    return sharedBytes <= state.maxSharedBytes
               ? allowShared(kernel, sharedBytes)
               : cudaSuccess;
  };
  for (int width : {128, 192, 256}) {
    int valueWidth = width == 256 ? 256 : 128;
    if (cudaError_t error = visitKernel<__half>(width, valueWidth, allow))
      return error;
    if (cudaError_t error =
            visitKernel<__nv_bfloat16>(width, valueWidth, allow))
      return error;
  }
  return cudaSuccess;
}
