//===- rope.cpp - Arguments of mla_rope -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/RunOp.h"

static bool prepare(Checker &checker, mla_rope_params &p) {
  if (!checker.isOneOf("rope_style", p.rope_style, MLA_ROPE_INTERLEAVED,
                       {"MLA_ROPE_INTERLEAVED", "MLA_ROPE_HALF"}) ||
      !checker.isOneOf("phase", p.phase, MLA_PHASE_CONTEXT,
                       {"MLA_PHASE_CONTEXT", "MLA_PHASE_GENERATION"}))
    return false;
  // A rope that is switched off may still carry its table.
  if (p.rope_style == MLA_ROPE_NONE) {
    p.cos_sin = nullptr;
    p.positions = nullptr;
  }
  checker.allowSameView(p.x, p.y);
  return true;
}

static bool check(Checker &checker, const mla_rope_params &p) {
  if (p.y->dtype != p.x->dtype && p.y->dtype != MLA_DTYPE_F32)
    return checker.refuse("y", "expected dtype f32 or %s as x has, got %s",
                          mla_dtype_name(p.x->dtype),
                          mla_dtype_name(p.y->dtype));
  if (p.rope_style == MLA_ROPE_NONE)
    return true;
  return checker.isPresent("cos_sin", p.cos_sin, "because rope_style is set") &&
         checker.isPresent("positions", p.positions,
                           "because rope_style is set") &&
         checker.isRotatable("x", checker.dim(Sym::R));
}

MLA_DEFINE_OP(rope, {prepare, check})
