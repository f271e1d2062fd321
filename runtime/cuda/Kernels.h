//===- Kernels.h - The CUDA backend's functions ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_KERNELS_H
#define MLA_RUNTIME_CUDA_KERNELS_H

#include "State.h"

namespace mla {
namespace cuda {

/// Each enqueues its work on the context's stream: no allocation, no
/// synchronisation, no reading of device data on the host.
#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status op(mla_context &ctx, const mla_##op##_params &params);
#include "mla_runtime/ops.def"

/// Loads the operation's kernels and grants them their shared memory, on the
/// current device, so that no later call does so lazily.
#define MLA_OP_BEGIN(op, since, doc) cudaError_t load_##op(const State &state);
#include "mla_runtime/ops.def"

// Refuse what the kernels can't do, in every mode; the others do all that the
// core lets through.
mla_status
supports_absorbed_attention(mla_context &ctx,
                            const mla_absorbed_attention_params &params);
mla_status
supports_expanded_attention(mla_context &ctx,
                            const mla_expanded_attention_params &params);
mla_status supports_fill(mla_context &ctx, const mla_fill_params &params);

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_KERNELS_H
