//===- ExpandedMmaOutput.h - From registers to o and lse ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A warp's rows pass through shared memory, in the tiles' place, so that each
// is written side by side.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_EXPANDEDMMAOUTPUT_H
#define MLA_RUNTIME_CUDA_EXPANDEDMMAOUTPUT_H

#include "Convert.h"
#include "ExpandedMmaProducts.h"

namespace mla {
namespace cuda {
namespace expanded_mma {

/// Divides the sums, and leaves them in shared memory and the lse in its
/// tensor.
template <typename K, int RowBlocks, int ValueWidth>
__device__ void finish(const Params &params, const Task &task, int firstRow,
                       RowStates<RowBlocks, ValueWidth> &state,
                       typename K::Shared &shared) {
  int lane = threadIdx.x % 32;
  bool anyNonFinite = shared.nonFinite.any;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      int row = firstRow + 16 * i + 8 * half + lane / 4;
      float total = state.total[i][half];
      total += __shfl_xor_sync(0xffffffffu, total, 1);
      total += __shfl_xor_sync(0xffffffffu, total, 2);
      float inverse = total == 0 ? 0.0f : 1.0f / total;
      if (params.lse && lane % 4 == 0 && row < task.numRows())
        *reinterpret_cast<float *>(
            params.lse.at(task.rows.rowBegin + row, task.head)) =
            total == 0 ? negativeInfinity
                       : state.top[i][half] * 0.693147181f + logf(total);
      float *out = shared.out + row * K::outStride + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < ValueWidth / 8; ++n) {
        float2 pair = {state.sums[i][n][2 * half] * inverse,
                       state.sums[i][n][2 * half + 1] * inverse};
        if (anyNonFinite) {
          int column = 8 * n + lane % 4 * 2;
          pair.x += shared.nonFinite.seen(column, task.bound(row));
          pair.y += shared.nonFinite.seen(column + 1, task.bound(row));
        }
        *reinterpret_cast<float2 *>(out + 8 * n) = pair;
      }
    }
}

/// Four elements to o, at `address`.
__device__ inline void storeQuad(const Params &params, char *address,
                                 float4 values) {
  if (!params.storesVectors) {
    const float *value = &values.x;
    for (int i = 0; i < 4; ++i)
      storeElement(address + i * params.o.strides[2], params.o.dtype, value[i]);
  } else if (params.o.dtype == MLA_DTYPE_F32) {
    *reinterpret_cast<float4 *>(address) = values;
  } else if (params.o.dtype == MLA_DTYPE_F16) {
    *reinterpret_cast<uint2 *>(address) = {
        packPair<__half>(values.x, values.y),
        packPair<__half>(values.z, values.w)};
  } else {
    *reinterpret_cast<uint2 *>(address) = {
        packPair<__nv_bfloat16>(values.x, values.y),
        packPair<__nv_bfloat16>(values.z, values.w)};
  }
}

/// Writes the rows of o that the warp has left in shared memory.
template <typename K>
__device__ void storeRows(const Params &params, const Task &task, int firstRow,
                          const float *out) {
  int end = min(firstRow + K::warpRows, task.numRows());
  int width = static_cast<int>(params.o.shape[2]);
  for (int row = firstRow; row < end; ++row) {
    char *to = params.o.at(task.rows.rowBegin + row, task.head);
    for (int i = threadIdx.x % 32 * 4; i < width; i += 128)
      storeQuad(
          params, to + i * params.o.strides[2],
          *reinterpret_cast<const float4 *>(out + row * K::outStride + i));
  }
}

} // namespace expanded_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_EXPANDEDMMAOUTPUT_H
