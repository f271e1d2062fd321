//===- expanded_attention.cpp - Arguments of mla_expanded_attention -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

using Params = mla_expanded_attention_params;

static bool prepare(Checker &checker, Params &p) {
  if (!p.k_pe)
    checker.bind(Sym::R, 0);
  return true;
}

/// Keys are either ragged (cu_k), or a window padded per sequence.
static bool checkKeys(Checker &checker, const Params &p) {
  if (p.window_length == 0) {
    if (p.window_start != 0)
      return checker.refuse("window_start",
                            "expected 0 without window_length, got %lld",
                            static_cast<long long>(p.window_start));
    return checker.isPresent("cu_k", p.cu_k, "without window_length") &&
           checker.isAbsent("kv_lens", p.kv_lens, "without window_length");
  }
  if (!checker.isAbsent("cu_k", p.cu_k, "because window_length is set") ||
      !checker.isPresent("kv_lens", p.kv_lens, "because window_length is set"))
    return false;
  int64_t rows;
  bool overflows =
      __builtin_mul_overflow(checker.dim(Sym::B), p.window_length, &rows);
  return (!overflows && rows == checker.dim(Sym::S)) ||
         checker.refuse("k_nope",
                        "expected S = B * window_length = %lld * %lld rows, "
                        "got %lld",
                        static_cast<long long>(checker.dim(Sym::B)),
                        static_cast<long long>(p.window_length),
                        static_cast<long long>(checker.dim(Sym::S)));
}

static bool check(Checker &checker, const Params &p) {
  if (p.causal != 0 && p.causal != 1)
    return checker.refuse("causal", "expected 0 or 1, got %lld",
                          static_cast<long long>(p.causal));
  return checker.fitsI32("first_token", p.first_token) &&
         checker.fitsI32("window_start", p.window_start) &&
         checker.fitsI32("window_length", p.window_length) &&
         checker.isPositive("q", Sym::H) &&
         (!p.k_pe || checker.isPositive("k_pe", Sym::R)) &&
         checkKeys(checker, p) && checker.isSoftmaxScale(p.softmax_scale);
}

MLA_DEFINE_OP(expanded_attention, {prepare, check})
