//===- rope.cu - Rotary position embedding alone, on CUDA
//-------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_rope(const State &) { return cudaSuccess; }

mla_status mla::cuda::rope(mla_context &ctx, const mla_rope_params &params) {
  (void)params;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "not yet");
}
