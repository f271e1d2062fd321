//===- expanded_attention.cu - Over rebuilt keys and values, on CUDA ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// softmax(q . [k_nope | k_pe] * scale) * v (DeepSeek-V2, arXiv:2405.04434,
// section 2.1.2): on tensor cores where the types allow, else in f32.
//
//===----------------------------------------------------------------------===//

#include "AttentionFfma.h"
#include "ExpandedAttentionMma.h"
#include "Kernels.h"

using namespace mla;
using namespace mla::cuda;

cudaError_t mla::cuda::load_expanded_attention(const State &state) {
  if (cudaError_t error = loadExpandedAttentionMma(state))
    return error;
  return loadExpandedAttentionFfma(state);
}

mla_status
mla::cuda::expanded_attention(mla_context &ctx,
                              const mla_expanded_attention_params &params) {
  if (params.q->shape[0] == 0 || params.q->shape[1] == 0)
    return MLA_STATUS_OK;
  if (suitsExpandedAttentionMma(ctx, params))
    return expandedAttentionMma(ctx, params);
  return expandedAttentionFfma(ctx, params);
}

mla_status mla::cuda::supports_expanded_attention(
    mla_context &ctx, const mla_expanded_attention_params &params) {
  // Of which gridDim.z has one each.
  const int64_t mostHeads = 65535;
  int64_t heads = params.q->shape[1];
  if (heads > mostHeads)
    return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
                "mla_expanded_attention: q: expected at most %lld heads, which "
                "is what the CUDA backend takes, got %lld",
                static_cast<long long>(mostHeads),
                static_cast<long long>(heads));
  return supportsAttentionFfma(ctx, "expanded_attention", "q",
                               params.q->shape[2]);
}
