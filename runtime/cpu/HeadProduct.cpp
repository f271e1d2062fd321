//===- HeadProduct.cpp - Per-head products with a weight, on the CPU ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

#include "Gemm.h"
#include "Rows.h"

#include <algorithm>

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::headProduct(mla_context &ctx, const View &x, const View &w,
                                 const View &out, bool transposed) {
  if (out.numElements() == 0)
    return MLA_STATUS_OK;
  const int64_t tile = 64; // Tokens that share a weight in registers.
  int64_t tokens = out.dim(0), heads = out.dim(1);
  int64_t inner = x.width(), outer = out.width();
  int64_t weightRows = w.dim(1), weightWidth = w.width();
  float *weight =
      scratch(ctx, weightRows * weightWidth + tile * inner + tile * outer);
  if (!weight)
    return ctx.status;
  float *in = weight + weightRows * weightWidth;
  float *result = in + tile * inner;

  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t r = 0; r < weightRows; ++r)
      loadRow(w, w.at(h, r), weight + r * weightWidth);
    for (int64_t t0 = 0; t0 < tokens; t0 += tile) {
      int64_t count = std::min(tile, tokens - t0);
      for (int64_t t = 0; t < count; ++t)
        loadRow(x, x.rank == 2 ? x.at(t0 + t) : x.at(t0 + t, h),
                in + t * inner);
      if (transposed) {
        gemmNT(count, outer, inner, in, inner, weight, weightWidth, result,
               outer);
      } else {
        std::fill_n(result, count * outer, 0.0f);
        gemmNN(count, outer, inner, in, inner, weight, weightWidth, result,
               outer);
      }
      for (int64_t t = 0; t < count; ++t)
        storeRow(out, out.at(t0 + t, h), result + t * outer);
    }
  }
  return MLA_STATUS_OK;
}
