//===- copy.cpp - Copies of any strides, on the CPU -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Rows.h"

using namespace mla;
using namespace mla::cpu;

/// A view whose row can be loaded: a scalar is a row of one element.
static View asRow(View view) {
  if (view.rank == 0) {
    view.rank = 1;
    view.shape[0] = view.strides[0] = 1;
  }
  return view;
}

mla_status mla::cpu::supports_copy(mla_context &ctx,
                                   const mla_copy_params &params) {
  View dst(params.dst);
  if (dst.elementSize > 0)
    return MLA_STATUS_OK;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
              "mla_copy: dst: expected elements of whole bytes, which is what "
              "the CPU backend copies, got %s",
              mla_dtype_name(dst.dtype));
}

mla_status mla::cpu::copy(mla_context &ctx, const mla_copy_params &params) {
  View src(params.src), dst(params.dst);
  int64_t count = dst.rank > 0 ? dst.width() : 1;
  if (src.dtype == dst.dtype) {
    forEachRow(src, dst, [&](const char *from, char *to) {
      copyElements(from, src.step(), to, dst.step(), count, dst.elementSize);
    });
    return MLA_STATUS_OK;
  }
  float *buffer = scratch(ctx, count + 1);
  if (!buffer)
    return ctx.status;
  // Widening is exact, so through f32 each element is rounded once.
  View from = asRow(src), to = asRow(dst);
  forEachRow(src, dst, [&](const char *source, char *destination) {
    loadRow(from, source, buffer);
    storeRow(to, destination, buffer);
  });
  return MLA_STATUS_OK;
}
