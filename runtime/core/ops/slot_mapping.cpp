//===- slot_mapping.cpp - Arguments of mla_slot_mapping -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool check(Checker &checker, const mla_slot_mapping_params &p) {
  if (!checker.fitsI32("page_size", p.page_size) ||
      !checker.fitsI32("cp_size", p.cp_size) ||
      !checker.fitsI32("cp_interleave", p.cp_interleave))
    return false;
  int64_t ranks = p.cp_size > 1 ? p.cp_size : 1;
  if (p.cp_rank >= ranks)
    return checker.refuse("cp_rank", "expected a rank in [0, %lld), got %lld",
                          static_cast<long long>(ranks),
                          static_cast<long long>(p.cp_rank));
  if (ranks > 1 && p.cp_interleave == 0)
    return checker.refuse("cp_interleave",
                          "expected a positive value because cp_size is %lld, "
                          "got 0",
                          static_cast<long long>(p.cp_size));
  return true;
}

MLA_DEFINE_OP(slot_mapping, {nullptr, check})
