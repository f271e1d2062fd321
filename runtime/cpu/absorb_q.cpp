//===- absorb_q.cpp - The query times W_UK, on the CPU --------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::absorb_q(mla_context &ctx,
                              const mla_absorb_q_params &params) {
  return headProduct(ctx, View(params.q_nope), View(params.w_uk),
                     View(params.query), /*transposed=*/false);
}
