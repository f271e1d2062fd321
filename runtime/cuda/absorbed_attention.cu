//===- absorbed_attention.cu - Over the paged latent, on CUDA -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// softmax(query . [latent | pe] * scale) * latent (DeepSeek-V2,
// arXiv:2405.04434, section 2.1, W_UK absorbed): a schedule where the call has
// none, the attention of every CTA's share, and the merge of split tiles.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedAttention.h"
#include "AttentionFfma.h"
#include "Kernels.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;

static const float *scaleAddress(const mla_tensor *tensor) {
  return reinterpret_cast<const float *>(Tensor<0>(tensor).data);
}

static int shiftOf(int64_t size) {
  int shift = 0;
  while (int64_t(1) << shift < size)
    ++shift;
  return int64_t(1) << shift == size ? shift : -1;
}

AbsorbedParams::AbsorbedParams(mla_context &ctx,
                               const mla_absorbed_attention_params &params,
                               int tileRows)
    : query(params.query), latent(params.cache_latent), pe(params.cache_pe),
      scales(params.cache_scales), o(params.o), lse(params.lse),
      pageTable(params.page_table), indices(params.indices),
      kvLens(params.kv_lens), cuQ(params.cu_q), kvBounds(params.kv_bounds),
      sinks(params.sinks), queryScale(scaleAddress(params.query_scale)),
      latentScale(scaleAddress(params.latent_scale)),
      peScale(scaleAddress(params.pe_scale)),
      scale(static_cast<float>(params.softmax_scale * 1.4426950408889634)),
      maxKv(params.max_kv), numPages(latent.shape[0]),
      tokens(static_cast<int>(query.shape[0])),
      seqs(static_cast<int>(kvLens.shape[0])),
      heads(static_cast<int>(query.shape[1])),
      latentWidth(static_cast<int>(latent.shape[2])),
      peWidth(static_cast<int>(pe.shape[2])),
      pageSize(static_cast<int>(latent.shape[1])),
      topk(static_cast<int>(indices.shape[1])),
      numPagesOfSeq(static_cast<int>(pageTable.shape[1])),
      pageShift(shiftOf(latent.shape[1])), hasLse(params.lse != nullptr),
      hasIndices(params.indices != nullptr),
      storesVectors(o.hasVectors(4 * elementSize(o.dtype))),
      schedule(params.schedule), callersSchedule(params.schedule),
      shape{tileRows, attentionCTAs(ctx),
            Split::lanesOf(tokens, seqs, heads, tileRows, attentionCTAs(ctx))},
      slots(AttentionScratch(stateOf(ctx)).slots),
      ready(AttentionScratch(stateOf(ctx)).ready), fault(stateOf(ctx).fault) {}

/// Gives a call without a schedule, or one whose kernel has other tiles than
/// the schedules' own, its own in scratch.
static mla_status ensureSchedule(mla_context &ctx, AbsorbedParams &p) {
  if (p.hasIndices || (p.schedule && p.shape.tileRows == maxTileRows))
    return MLA_STATUS_OK;
  p.schedule = Tensor<1>();
  p.schedule.data =
      reinterpret_cast<char *>(AttentionScratch(stateOf(ctx)).schedule);
  p.schedule.dtype = MLA_DTYPE_I32;
  p.schedule.shape[0] = MLA_SCHEDULE_SIZE(p.seqs);
  p.schedule.strides[0] = sizeof(int32_t);
  return enqueueSchedule(ctx, "absorbed_attention", p.kvLens, p.cuQ, p.schedule,
                         p.heads, p.pageSize, p.shape.tileRows);
}

mla_status
mla::cuda::absorbed_attention(mla_context &ctx,
                              const mla_absorbed_attention_params &params) {
  if (params.query->shape[0] == 0 || params.query->shape[1] == 0)
    return MLA_STATUS_OK;
  bool sm90 = fitsAbsorbedSm90(ctx, params);
  bool mma = sm90 || fitsAbsorbedMma(ctx, params);
  AbsorbedParams p(ctx, params, mma ? maxTileRows : ffmaTileRows);
  if (mla_status status = ensureSchedule(ctx, p))
    return status;
  if (mla_status status = sm90  ? launchAbsorbedSm90(ctx, p)
                          : mma ? launchAbsorbedMma(ctx, p)
                                : launchAbsorbedFfma(ctx, p))
    return status;
  if (!p.splits())
    return MLA_STATUS_OK;
  return sm90 ? launchAbsorbedCombineSm90(ctx, p)
              : launchAbsorbedCombine(ctx, p);
}

cudaError_t mla::cuda::load_absorbed_attention(const State &state) {
  if (cudaError_t error = loadAbsorbedMma(state))
    return error;
  if (cudaError_t error = loadAbsorbedSm90(state))
    return error;
  if (cudaError_t error = loadAbsorbedFfma(state))
    return error;
  if (cudaError_t error =
          state.hasSm90 ? loadAbsorbedCombineSm90() : cudaSuccess)
    return error;
  return loadAbsorbedCombine();
}

mla_status mla::cuda::supports_absorbed_attention(
    mla_context &ctx, const mla_absorbed_attention_params &params) {
  int64_t seqs = params.kv_lens->shape[0];
  if (seqs > maxScheduledSeqs)
    return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
                "mla_absorbed_attention: kv_lens: expected at most %lld "
                "sequences, which is what the CUDA backend takes, got %lld",
                static_cast<long long>(maxScheduledSeqs),
                static_cast<long long>(seqs));
  // The kernels count in 32 bits, and up to a block beyond the end.
  const int64_t most = INT32_MAX - blockKeys;
  int64_t capacity =
      params.page_table->shape[1] * params.cache_latent->shape[1];
  const struct {
    const char *argument, *things;
    int64_t count;
  } counts[] = {{"query", "tokens", params.query->shape[0]},
                {"query", "heads", params.query->shape[1]},
                {"page_table", "keys a sequence", capacity},
                {"indices", "positions a token",
                 params.indices ? params.indices->shape[1] : 0}};
  for (const auto &entry : counts)
    if (entry.count > most)
      return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
                  "mla_absorbed_attention: %s: expected at most %lld %s, which "
                  "is what the CUDA backend takes, got %lld",
                  entry.argument, static_cast<long long>(most), entry.things,
                  static_cast<long long>(entry.count));
  return supportsAttentionFfma(ctx, "absorbed_attention", "query",
                               params.query->shape[2]);
}
