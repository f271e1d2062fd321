//===- rope.cpp - Rotary position embedding alone, on the CPU -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Rotation.h"

using namespace mla;
using namespace mla::cpu;

mla_status mla::cpu::rope(mla_context &ctx, const mla_rope_params &params) {
  View x(params.x), y(params.y);
  View table(params.cos_sin), positions(params.positions);
  if (x.numElements() == 0)
    return MLA_STATUS_OK;
  int64_t width = x.width();
  float *cosSin = scratch(ctx, 2 * width);
  if (!cosSin)
    return ctx.status;
  float *row = cosSin + width;

  for (int64_t t = 0; t < x.dim(0); ++t) {
    bool found = !params.rope_style ||
                 loadCosSin(ctx, "rope", table, positions, t, cosSin);
    View from = x.slice(t), to = y.slice(t);
    forEachRow(from, to, [&](const char *in, char *out) {
      if (!found) {
        zeroRow(to, out);
      } else if (params.rope_style) {
        loadRow(from, in, row);
        rotate(row, cosSin, width, params.rope_style);
        storeRow(to, out, row);
      } else {
        convertRow(from, in, to, out, row);
      }
    });
  }
  return MLA_STATUS_OK;
}
