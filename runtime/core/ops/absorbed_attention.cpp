//===- absorbed_attention.cpp - Arguments of mla_absorbed_attention -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

using Params = mla_absorbed_attention_params;

static bool prepare(Checker &checker, Params &p) {
  if (!p.cache_pe)
    checker.bind(Sym::R, 0);
  return true;
}

static bool check(Checker &checker, const Params &p) {
  return checker.isPositive("query", Sym::H) &&
         checker.isPositive("cache_latent", Sym::L) &&
         checker.isPositive("cache_latent", Sym::P) &&
         (!p.cache_pe || checker.isPositive("cache_pe", Sym::R)) &&
         checker.isScheduleSize("schedule", p.schedule) &&
         checker.scaleMatches("query_scale", p.query_scale, "query", p.query) &&
         checker.cacheScalesMatch(CacheFields(p), p.query) &&
         checker.isSoftmaxScale(p.softmax_scale);
}

MLA_DEFINE_OP(absorbed_attention, {prepare, check})
