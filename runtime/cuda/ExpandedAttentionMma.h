//===- ExpandedAttentionMma.h - Expanded attention on tensor cores --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_EXPANDEDATTENTIONMMA_H
#define MLA_RUNTIME_CUDA_EXPANDEDATTENTIONMMA_H

#include "State.h"

namespace mla {
namespace cuda {

/// Whether expandedAttentionMma() takes such a call: 16-bit inputs of one type,
/// rows of whole and aligned units of 16 bytes, no wider than 256, and keys
/// that a sequence's tokens share.
bool suitsExpandedAttentionMma(mla_context &ctx,
                               const mla_expanded_attention_params &params);

mla_status expandedAttentionMma(mla_context &ctx,
                                const mla_expanded_attention_params &params);

cudaError_t loadExpandedAttentionMma(const State &state);

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_EXPANDEDATTENTIONMMA_H
