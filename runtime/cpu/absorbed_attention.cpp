//===- absorbed_attention.cpp - Over the paged latent, on the CPU ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Token by token with all heads together: the heads share the keys, which come
// out of the cache a block at a time. softmax(query . [latent | pe] * scale) *
// latent (DeepSeek-V2, arXiv:2405.04434, section 2.1, W_UK absorbed).
//
//===----------------------------------------------------------------------===//

#include "CacheRows.h"
#include "Gemm.h"
#include "Rows.h"
#include "Schedule.h"
#include "Sequences.h"
#include "Softmax.h"

#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

const char *const op = "absorbed_attention";
const int64_t blockKeys = 64;

class AbsorbedAttention {
public:
  AbsorbedAttention(mla_context &ctx,
                    const mla_absorbed_attention_params &params)
      : ctx(ctx), params(params),
        scale(static_cast<float>(params.softmax_scale)), query(params.query),
        kvLens(params.kv_lens), cuQ(params.cu_q), kvBounds(params.kv_bounds),
        schedule(params.schedule), sinks(params.sinks), indices(params.indices),
        o(params.o), lse(params.lse),
        cache(ctx, op, params.cache_latent, params.cache_pe, params.page_table),
        rows(params.cache_latent, params.cache_pe, params.cache_scales),
        heads(query.dim(1)), latentWidth(cache.latent.width()),
        width(latentWidth + cache.pe.width()) {}

  mla_status run() {
    int64_t tokens = query.dim(0);
    for (int64_t t = 0; t < tokens; ++t)
      writeNothing(t);
    if (tokens == 0 || heads == 0)
      return MLA_STATUS_OK;
    int64_t numSeqs = kvLens.dim(0);
    if (schedule &&
        !checkSchedule(ctx, schedule, numSeqs, heads, cache.pageSize()))
      return MLA_STATUS_OK;

    // The dot products carry the query's scale as they do the softmax's.
    float queryScale = 1;
    if (!loadScale(ctx, op, "query_scale", params.query_scale, queryScale) ||
        !rows.loadScales(ctx, op, params.latent_scale, params.pe_scale))
      return MLA_STATUS_OK;
    scale *= queryScale;

    float *block =
        scratch(ctx, heads * width + blockKeys * width + heads * blockKeys +
                         Softmax::scratchSize(heads, latentWidth));
    if (!block)
      return ctx.status;
    q = block;
    keys = q + heads * width;
    logits = keys + blockKeys * width;
    softmax = Softmax(logits + heads * blockKeys, heads, latentWidth);

    for (int64_t b = 0; b < numSeqs; ++b) {
      Range range = sequenceRange(ctx, op, "cu_q", cuQ, b, tokens);
      int64_t length = sequenceLength(ctx, op, kvLens, b, cache.capacity());
      for (int64_t t = range.begin; t < range.end; ++t)
        attend(b, t, visible(t, length, range));
    }
    return MLA_STATUS_OK;
  }

private:
  /// o = 0 and lse = -infinity: what padding gets, and tokens of sequences
  /// whose lengths are unusable.
  void writeNothing(int64_t t) {
    for (int64_t h = 0; h < heads; ++h) {
      zeroRow(o, o.at(t, h));
      if (lse)
        floatAt(lse, t, h) = -std::numeric_limits<float>::infinity();
    }
  }

  /// How many keys of a sequence of `length` token `t` sees.
  int64_t visible(int64_t t, int64_t length, Range range) {
    if (!kvBounds)
      return length - (range.end - 1 - t);
    int64_t bound = loadInt(kvBounds, t);
    if (bound < 0 || bound > length)
      recordFault(ctx, op, "kv_bounds", t, bound, length + 1);
    return std::min(bound, length);
  }

  void attend(int64_t b, int64_t t, int64_t bound) {
    for (int64_t h = 0; h < heads; ++h) {
      loadRow(query, query.at(t, h), q + h * width);
      softmax.reset(h, sinks ? floatAt(sinks, h)
                             : -std::numeric_limits<float>::infinity());
    }
    for (int64_t i = 0; i < heads * width; ++i)
      q[i] *= scale;
    int64_t candidates = indices ? indices.dim(1) : bound;
    for (int64_t i = 0; i < candidates; ++i) {
      int64_t position = indices ? loadInt(indices, t, i) : i;
      if (position >= 0 && position < bound)
        addKey(b, position);
    }
    flush();
    for (int64_t h = 0; h < heads; ++h) {
      storeRow(o, o.at(t, h), softmax.finish(h));
      if (lse)
        floatAt(lse, t, h) = softmax.lse(h);
    }
  }

  void addKey(int64_t b, int64_t position) {
    int64_t page, row;
    if (!cache.find(b, position, page, row))
      return;
    rows.load(page, row, keys + pending * width);
    if (++pending == blockKeys)
      flush();
  }

  void flush() {
    if (pending == 0)
      return;
    gemmNT(heads, pending, width, q, width, keys, width, logits, blockKeys);
    softmax.add(0, heads, logits, blockKeys, pending, keys, width);
    pending = 0;
  }

  mla_context &ctx;
  const mla_absorbed_attention_params &params;
  float scale; ///< Of the logits.
  View query, kvLens, cuQ, kvBounds, schedule, sinks, indices, o, lse;
  PagedCache cache;
  CacheRows rows;
  int64_t heads, latentWidth, width;
  int64_t pending = 0; ///< Keys in the block.
  float *q = nullptr;  ///< The token's queries, scaled.
  float *keys = nullptr;
  float *logits = nullptr;
  Softmax softmax;
};

} // namespace

mla_status
mla::cpu::absorbed_attention(mla_context &ctx,
                             const mla_absorbed_attention_params &params) {
  return AbsorbedAttention(ctx, params).run();
}
