//===- append.cpp - Rotation, cache rows and query assembly, on CUDA ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Append.h"
#include "Kernels.h"

using namespace mla;

cudaError_t mla::cuda::load_append(const State &) {
  cudaError_t error = loadAppendVectors();
  return error ? error : loadAppendElements();
}

mla_status mla::cuda::append(mla_context &ctx,
                             const mla_append_params &params) {
  bool taken = false;
  mla_status status = appendVectors(ctx, params, taken);
  return taken ? status : appendElements(ctx, params);
}
