//===- project_v.cpp - The output times W_UV, on CUDA ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Matmul.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_project_v(const State &) {
  return loadHeadProduct();
}

mla_status mla::cuda::project_v(mla_context &ctx,
                                const mla_project_v_params &params) {
  return headProduct(ctx, "project_v", *params.o_latent, *params.w_uv,
                     *params.out, /*transposed=*/true);
}
