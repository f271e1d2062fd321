//===- GatherKv.h - The kernels of gather_kv ------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_GATHERKV_H
#define MLA_RUNTIME_CUDA_GATHERKV_H

#include "State.h"

namespace mla {
namespace cuda {

/// To 16-bit rows, from rows of the same type or of fp8, all of which are
/// whole, aligned vectors. Sets `taken` to whether the call is one, and does
/// nothing otherwise.
mla_status gatherKvVectors(mla_context &ctx, const mla_gather_kv_params &params,
                           bool &taken);
/// Any layout and type.
mla_status gatherKvElements(mla_context &ctx,
                            const mla_gather_kv_params &params);

cudaError_t loadGatherKvVectors();
cudaError_t loadGatherKvElements();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_GATHERKV_H
