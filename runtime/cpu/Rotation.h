//===- Rotation.h - Rotary position embedding of one row ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_ROTATION_H
#define MLA_RUNTIME_CPU_ROTATION_H

#include "Rows.h"
#include "Sequences.h"

namespace mla {
namespace cpu {

/// Rotates the `width` values of `x` in place (RoFormer, arXiv:2104.09864,
/// section 3.2): the pair (a, b) at angle i becomes (a cos - b sin, b cos + a
/// sin). Interleaved pairs are (2i, 2i + 1), half pairs (i, i + width/2).
/// `cosSin` holds width/2 cosines, then as many sines.
inline void rotate(float *x, const float *cosSin, int64_t width,
                   int64_t style) {
  int64_t half = width / 2;
  const float *cosine = cosSin, *sine = cosSin + half;
  int64_t pairStep = style == MLA_ROPE_INTERLEAVED ? 2 : 1;
  int64_t partner = style == MLA_ROPE_INTERLEAVED ? 1 : half;
  for (int64_t i = 0; i < half; ++i) {
    float a = x[i * pairStep];
    float b = x[i * pairStep + partner];
    x[i * pairStep] = a * cosine[i] - b * sine[i];
    x[i * pairStep + partner] = b * cosine[i] + a * sine[i];
  }
}

/// Reads the table's row of token `t` into `out`. False, with the fault
/// recorded, when the token's position is outside the table.
inline bool loadCosSin(mla_context &ctx, const char *op, const View &table,
                       const View &positions, int64_t t, float *out) {
  int64_t position = loadInt(positions, t);
  if (position < 0 || position >= table.dim(0)) {
    recordFault(ctx, op, "positions", t, position, table.dim(0));
    return false;
  }
  loadRow(table, table.at(position), out);
  return true;
}

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_ROTATION_H
