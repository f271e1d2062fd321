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

static bool check(Checker &checker, const mla_copy_params &p) {
  return p.src->dtype == p.dst->dtype ||
         checker.refuse("dst", "expected dtype %s as src has, got %s",
                        mla_dtype_name(p.src->dtype),
                        mla_dtype_name(p.dst->dtype));
}

MLA_DEFINE_OP(copy, {prepare, check})
