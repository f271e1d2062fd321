//===- expand_kv.cpp - A product for each head, on CUDA
//---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Matmul.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_expand_kv(const State &) { return cudaSuccess; }

mla_status mla::cuda::expand_kv(mla_context &ctx,
                                const mla_expand_kv_params &params) {
  return headProduct(ctx, "expand_kv", *params.c_kv, *params.w_kv_b, *params.kv,
                     /*transposed=*/true);
}
