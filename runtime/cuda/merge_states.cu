//===- merge_states.cu - Partial states added up, on CUDA
//-------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_merge_states(const State &) { return cudaSuccess; }

mla_status mla::cuda::merge_states(mla_context &ctx,
                                   const mla_merge_states_params &params) {
  (void)params;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "not yet");
}
