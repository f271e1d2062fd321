//===- slot_mapping.cu - Where each token goes, on CUDA
//---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_slot_mapping(const State &) { return cudaSuccess; }

mla_status mla::cuda::slot_mapping(mla_context &ctx,
                                   const mla_slot_mapping_params &params) {
  (void)params;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED, "not yet");
}
