//===- AttentionFfma.h - Attention in f32, for every type and layout ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What the tensor cores' kernels don't take: f32, mixed types, odd widths and
// strides, and tokens with keys of their own. Logits, weights and sums are f32.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ATTENTIONFFMA_H
#define MLA_RUNTIME_CUDA_ATTENTIONFFMA_H

#include "State.h"

namespace mla {
namespace cuda {

/// Whether the GPU's shared memory takes queries, argument `name`, of
/// `keyWidth` columns. Values may be of any width.
mla_status supportsAttentionFfma(mla_context &ctx, const char *op,
                                 const char *name, int64_t keyWidth);

mla_status expandedAttentionFfma(mla_context &ctx,
                                 const mla_expanded_attention_params &params);
cudaError_t loadExpandedAttentionFfma(const State &state);

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ATTENTIONFFMA_H
