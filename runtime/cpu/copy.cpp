//===- copy.cpp - Bit-exact copies of any strides, on the CPU -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Rows.h"

using namespace mla;
using namespace mla::cpu;

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

mla_status mla::cpu::copy(mla_context &, const mla_copy_params &params) {
  View src(params.src), dst(params.dst);
  int64_t count = dst.rank > 0 ? dst.width() : 1;
  forEachRow(src, dst, [&](const char *from, char *to) {
    copyElements(from, src.step(), to, dst.step(), count, dst.elementSize);
  });
  return MLA_STATUS_OK;
}
