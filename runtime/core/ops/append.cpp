//===- append.cpp - Arguments of mla_append -------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool prepare(Checker &checker, mla_append_params &p) {
  if (!checker.isOneOf("rope_style", p.rope_style, MLA_ROPE_INTERLEAVED,
                       {"MLA_ROPE_INTERLEAVED", "MLA_ROPE_HALF"}) ||
      !checker.isOneOf(
          "rounding", p.rounding, MLA_ROUNDING_DIRECT,
          {"MLA_ROUNDING_DIRECT", "MLA_ROUNDING_THROUGH_INPUT_TYPE"}) ||
      !checker.isOneOf("phase", p.phase, MLA_PHASE_CONTEXT,
                       {"MLA_PHASE_CONTEXT", "MLA_PHASE_GENERATION"}))
    return false;
  if (p.rope_style != MLA_ROPE_NONE) {
    if (!checker.isRotatable("rope_head_dim", p.rope_head_dim))
      return false;
    checker.bind(Sym::R, p.rope_head_dim);
    return true;
  }
  // A rope that is switched off may still carry its table and width.
  p.cos_sin = nullptr;
  p.positions = nullptr;
  p.rope_head_dim = 0;
  // A cache without a pe part says that there is none.
  if (p.cache_latent && !p.k_pe && !p.q_pe && !p.k_pe_out && !p.cache_pe)
    checker.bind(Sym::R, 0);
  return true;
}

/// c_kv, slots and cache_latent come together, and with R > 0 so do k_pe and
/// cache_pe.
static bool checkCache(Checker &checker, const mla_append_params &p) {
  if (!p.cache_latent)
    return checker.isAbsent("cache_pe", p.cache_pe, "without cache_latent") &&
           checker.isAbsent("cache_scales", p.cache_scales,
                            "without cache_latent") &&
           checker.isAbsent("c_kv", p.c_kv, "without cache_latent") &&
           checker.isAbsent("slots", p.slots, "without cache_latent");
  const char *reason = "because cache_latent is present";
  if (!checker.isPresent("c_kv", p.c_kv, reason) ||
      !checker.isPresent("slots", p.slots, reason) ||
      !checker.isPositive("cache_latent", Sym::L) ||
      !checker.isPositive("cache_latent", Sym::P))
    return false;
  if (checker.dim(Sym::R) == 0)
    return true;
  return checker.isPresent("k_pe", p.k_pe,
                           "because R > 0 and cache_latent is present") &&
         checker.isPresent("cache_pe", p.cache_pe,
                           "because R > 0 and cache_latent is present");
}

static bool checkQuery(Checker &checker, const mla_append_params &p) {
  if (!p.query)
    return checker.isAbsent("q_nope", p.q_nope, "without query") &&
           checker.isAbsent("q_pe", p.q_pe, "without query");
  // In place there is nothing to rotate but quantized values.
  if (p.query->dtype == MLA_DTYPE_F8E4M3FN && p.rope_style != MLA_ROPE_NONE)
    return checker.isPresent("q_pe", p.q_pe,
                             "to rotate because query is f8E4M3FN");
  return true;
}

/// No tensor has zero width: with R = 0 the pe arguments are null.
static bool checkZeroWidth(Checker &checker, const mla_append_params &p) {
  if (checker.dim(Sym::R) != 0)
    return true;
  const char *reason = "because R = 0";
  return checker.isAbsent("k_pe", p.k_pe, reason) &&
         checker.isAbsent("q_pe", p.q_pe, reason) &&
         checker.isAbsent("k_pe_out", p.k_pe_out, reason) &&
         checker.isAbsent("cache_pe", p.cache_pe, reason);
}

static bool checkRope(Checker &checker, const mla_append_params &p) {
  if (p.rope_style == MLA_ROPE_NONE)
    return true;
  return checker.isPresent("cos_sin", p.cos_sin, "because rope_style is set") &&
         checker.isPresent("positions", p.positions,
                           "because rope_style is set");
}

static bool check(Checker &checker, const mla_append_params &p) {
  if (!p.query && !p.k_pe_out && !p.cache_latent && !p.cache_pe)
    return checker.refuse(
        "query", "expected one of query, k_pe_out and cache_latent, got none");
  return checkZeroWidth(checker, p) && checkCache(checker, p) &&
         checkQuery(checker, p) && checkRope(checker, p) &&
         (!p.k_pe_out ||
          checker.isPresent("k_pe", p.k_pe, "because k_pe_out is present")) &&
         checker.scaleMatches("query_scale", p.query_scale, "query", p.query) &&
         checker.cacheScalesMatch(CacheFields(p), p.query);
}

MLA_DEFINE_OP(append, {prepare, check})
