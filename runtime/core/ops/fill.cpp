//===- fill.cpp - Arguments of mla_fill -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool check(Checker &checker, const mla_fill_params &p) {
  bool isFloat = p.dst->dtype <= MLA_DTYPE_F64;
  // No integer is the nearest to it.
  return isFloat || p.value == p.value ||
         checker.refuse("value", "expected a number to fill %s with, got NaN",
                        mla_dtype_name(p.dst->dtype));
}

MLA_DEFINE_OP(fill, {nullptr, check})
