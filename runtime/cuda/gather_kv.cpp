//===- gather_kv.cpp - A window of cache rows to contiguous, on CUDA ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "GatherKv.h"
#include "Kernels.h"

using namespace mla;

cudaError_t mla::cuda::load_gather_kv(const State &) {
  cudaError_t error = loadGatherKvVectors();
  return error ? error : loadGatherKvElements();
}

mla_status mla::cuda::gather_kv(mla_context &ctx,
                                const mla_gather_kv_params &params) {
  bool taken = false;
  mla_status status = gatherKvVectors(ctx, params, taken);
  return taken ? status : gatherKvElements(ctx, params);
}
