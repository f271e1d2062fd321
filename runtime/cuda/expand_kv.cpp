//===- expand_kv.cpp - Keys and values rebuilt, on CUDA -------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Matmul.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_expand_kv(const State &) {
  return loadHeadProduct();
}

mla_status mla::cuda::expand_kv(mla_context &ctx,
                                const mla_expand_kv_params &params) {
  return headProduct(ctx, "expand_kv", *params.c_kv, *params.w_kv_b, *params.kv,
                     /*transposed=*/true);
}
