//===- expand_kv.cpp - Keys and values rebuilt from latents, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::expand_kv(mla_context &ctx,
                               const mla_expand_kv_params &params) {
  return headProduct(ctx, View(params.c_kv), View(params.w_kv_b),
                     View(params.kv), /*transposed=*/true);
}
