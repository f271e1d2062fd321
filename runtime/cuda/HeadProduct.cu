//===- HeadProduct.cu - A product for each head, of any tensors -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// For what cuBLASLt can't take: types that differ, strides that are no leading
// dimension. A block computes tiles of 64 tokens by 64 outputs of a head; both
// factors come through shared memory as f32, 16 terms of the sums at a time.
//
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

#include "Convert.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int tile = 64, depth = 16;
constexpr int blockThreads = 256;
constexpr int each = 4; ///< Tokens, and outputs, of a thread.
static_assert(blockThreads * each * each == tile * tile);

/// Terms of a tile, [depth][tile]: rows as wide as float4 needs them aligned.
using Panel = float[depth][tile + 4];

/// Rows [row, row + 64) and columns [k, k + 16) of a matrix, transposed; 0
/// where it has none. Neighbouring threads read along the dimension whose
/// elements lie closer.
__device__ void loadPanel(Panel &panel, const char *matrix, uint32_t dtype,
                          int64_t rowStride, int64_t columnStride, int64_t rows,
                          int64_t columns, int64_t row, int64_t k) {
  bool alongColumns = (columnStride < 0 ? -columnStride : columnStride) <=
                      (rowStride < 0 ? -rowStride : rowStride);
  for (int i = threadIdx.x; i < tile * depth; i += blockThreads) {
    int r = alongColumns ? i / depth : i % tile;
    int c = alongColumns ? i % depth : i / tile;
    bool inside = row + r < rows && k + c < columns;
    panel[c][r] = inside ? loadElement(matrix + (row + r) * rowStride +
                                           (k + c) * columnStride,
                                       dtype)
                         : 0.0f;
  }
}

__global__ void __launch_bounds__(blockThreads)
    headProductKernel(HeadOperands operands) {
  __shared__ __align__(16) Panel xs, ws;
  waitForStream();
  const Tensor<3> &x = operands.x, &w = operands.w, &out = operands.out;
  int64_t tokens = out.shape[0], heads = out.shape[1], outer = out.shape[2];
  int64_t inner = x.shape[2];
  int64_t across = ceilDiv(outer, tile), down = ceilDiv(tokens, tile);
  int myTokens = static_cast<int>(threadIdx.x) / (tile / each) * each;
  int myOutputs = static_cast<int>(threadIdx.x) % (tile / each) * each;

  for (int64_t i = blockIdx.x; i < across * down * heads; i += gridDim.x) {
    int64_t o = i % across * tile, t = i / across % down * tile;
    int64_t h = i / (across * down);
    float sums[each][each] = {};
    for (int64_t k = 0; k < inner; k += depth) {
      loadPanel(xs, x.at(0, h), x.dtype, x.strides[0], x.strides[2], tokens,
                inner, t, k);
      loadPanel(ws, w.at(h), w.dtype, w.strides[1], w.strides[2], outer, inner,
                o, k);
      __syncthreads();
#pragma unroll
      for (int c = 0; c < depth; ++c) {
        float4 a = *reinterpret_cast<const float4 *>(&xs[c][myTokens]);
        float4 b = *reinterpret_cast<const float4 *>(&ws[c][myOutputs]);
        const float as[each] = {a.x, a.y, a.z, a.w};
        const float bs[each] = {b.x, b.y, b.z, b.w};
#pragma unroll
        for (int m = 0; m < each; ++m)
#pragma unroll
          for (int n = 0; n < each; ++n)
            sums[m][n] = fmaf(as[m], bs[n], sums[m][n]);
      }
      __syncthreads(); // before the panels are overwritten
    }
#pragma unroll
    for (int m = 0; m < each; ++m)
#pragma unroll
      for (int n = 0; n < each; ++n) {
        int64_t token = t + myTokens + m, output = o + myOutputs + n;
        if (token < tokens && output < outer)
          storeElement(out.at(token, h, output), out.dtype, sums[m][n]);
      }
  }
}

} // namespace

mla_status mla::cuda::plainHeadProduct(mla_context &ctx, const char *op,
                                       const HeadOperands &operands) {
  const Tensor<3> &out = operands.out;
  int64_t tiles =
      ceilDiv(out.shape[0], tile) * ceilDiv(out.shape[2], tile) * out.shape[1];
  // A few blocks at a time fit on a multiprocessor.
  auto blocks = static_cast<unsigned>(
      std::min<int64_t>(tiles, int64_t{8} * usableSMs(ctx)));
  return launchEarly(ctx, op, headProductKernel, dim3(blocks),
                     dim3(blockThreads), 0, operands);
}

cudaError_t mla::cuda::loadPlainHeadProduct() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, headProductKernel);
}
