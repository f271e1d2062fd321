//===- copy.cpp - Arguments of mla_copy -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool prepare(Checker &checker, mla_copy_params &p) {
  // A copy onto itself is nothing to do, and what a compiler may leave behind.
  checker.allowSameView(p.src, p.dst);
  return true;
}

static bool isActivation(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32 || dtype == MLA_DTYPE_F16 ||
         dtype == MLA_DTYPE_BF16;
}

static bool check(Checker &checker, const mla_copy_params &p) {
  uint32_t src = p.src->dtype, dst = p.dst->dtype;
  if (src == dst || (isActivation(src) && isActivation(dst)))
    return true;
  return checker.refuse("dst", "expected dtype %s because src is %s, got %s",
                        isActivation(src) ? "f32, f16 or bf16"
                                          : mla_dtype_name(src),
                        mla_dtype_name(src), mla_dtype_name(dst));
}

MLA_DEFINE_OP(copy, {prepare, check})
