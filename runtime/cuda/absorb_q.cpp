//===- absorb_q.cpp - The query times W_UK, on CUDA -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Matmul.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_absorb_q(const State &) {
  return loadHeadProduct();
}

mla_status mla::cuda::absorb_q(mla_context &ctx,
                               const mla_absorb_q_params &params) {
  return headProduct(ctx, "absorb_q", *params.q_nope, *params.w_uk,
                     *params.query, /*transposed=*/false);
}
