//===- Matmul.cpp - Matrix products by cuBLASLt ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Matmul.h"

using namespace mla;
using namespace mla::cuda;

mla_status mla::cuda::openMatmul(mla_context &, Matmul *&) {
  return MLA_STATUS_OK;
}

void mla::cuda::closeMatmul(Matmul *) {}

mla_status mla::cuda::headProduct(mla_context &ctx, const char *,
                                  const mla_tensor &, const mla_tensor &,
                                  const mla_tensor &, bool) {
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "not yet");
}
