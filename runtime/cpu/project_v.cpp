//===- project_v.cpp - W_UV times the latent output, on the CPU -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::project_v(mla_context &ctx,
                               const mla_project_v_params &params) {
  return headProduct(ctx, View(params.o_latent), View(params.w_uv),
                     View(params.out), /*transposed=*/true);
}
