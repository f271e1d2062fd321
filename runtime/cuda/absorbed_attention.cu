//===- absorbed_attention.cu - Over the paged latent, on CUDA
//---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_absorbed_attention(const State &) {
  return cudaSuccess;
}

mla_status
mla::cuda::absorbed_attention(mla_context &ctx,
                              const mla_absorbed_attention_params &params) {
  (void)params;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "not yet");
}

mla_status
mla::cuda::supports_absorbed_attention(mla_context &,
                                       const mla_absorbed_attention_params &) {
  return MLA_STATUS_OK;
}
