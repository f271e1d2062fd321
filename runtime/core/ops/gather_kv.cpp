//===- gather_kv.cpp - Arguments of mla_gather_kv -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool prepare(Checker &checker, mla_gather_kv_params &p) {
  if (!p.cache_pe && !p.k_pe)
    checker.bind(Sym::R, 0);
  return true;
}

static bool checkRows(Checker &checker, const mla_gather_kv_params &p) {
  int64_t rows;
  bool overflows =
      __builtin_mul_overflow(checker.dim(Sym::B), p.window_length, &rows);
  return (!overflows && rows == checker.dim(Sym::S)) ||
         checker.refuse("c_kv",
                        "expected S = B * window_length = %lld * %lld rows, "
                        "got %lld",
                        static_cast<long long>(checker.dim(Sym::B)),
                        static_cast<long long>(p.window_length),
                        static_cast<long long>(checker.dim(Sym::S)));
}

static bool check(Checker &checker, const mla_gather_kv_params &p) {
  bool pe = p.cache_pe ? checker.isPositive("cache_pe", Sym::R) &&
                             checker.isPresent("k_pe", p.k_pe,
                                               "because cache_pe is present")
                       : checker.isAbsent("k_pe", p.k_pe, "without cache_pe");
  return pe && checker.fitsI32("window_start", p.window_start) &&
         checker.fitsI32("window_length", p.window_length) &&
         checker.isPositive("cache_latent", Sym::L) &&
         checker.isPositive("cache_latent", Sym::P) && checkRows(checker, p) &&
         checker.cacheScalesMatch(CacheFields(p), nullptr);
}

MLA_DEFINE_OP(gather_kv, {prepare, check})
