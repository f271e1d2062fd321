//===- expanded_attention.cpp - Over rebuilt keys and values, on the CPU --===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Head by head: a head's keys and values are read a block at a time and serve a
// tile of tokens. softmax(q . [k_nope | k_pe] * scale) * v (DeepSeek-V2,
// arXiv:2405.04434, section 2.1.2).
//
//===----------------------------------------------------------------------===//

#include "Gemm.h"
#include "Rows.h"
#include "Sequences.h"
#include "Softmax.h"

#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

const char *const op = "expanded_attention";
const int64_t blockKeys = 64;
const int64_t tileTokens = 64;

class ExpandedAttention {
public:
  ExpandedAttention(mla_context &ctx,
                    const mla_expanded_attention_params &params)
      : ctx(ctx), params(params),
        scale(static_cast<float>(params.softmax_scale)), query(params.q),
        kNope(params.k_nope), kPe(params.k_pe), v(params.v), cuQ(params.cu_q),
        cuK(params.cu_k), kvLens(params.kv_lens), sinks(params.sinks),
        indices(params.indices), o(params.o), lse(params.lse),
        heads(query.dim(1)), nopeWidth(kNope.width()), width(query.width()) {}

  mla_status run() {
    int64_t tokens = query.dim(0);
    for (int64_t t = 0; t < tokens; ++t)
      writeNothing(t);
    if (tokens == 0 || heads == 0)
      return MLA_STATUS_OK;
    float *block = scratch(
        ctx, tileTokens * width + blockKeys * (width + v.width()) + blockKeys +
                 Softmax::scratchSize(tileTokens, v.width()));
    if (!block)
      return ctx.status;
    q = block;
    keys = q + tileTokens * width;
    values = keys + blockKeys * width;
    logits = values + blockKeys * v.width();
    softmax = Softmax(logits + blockKeys, tileTokens, v.width());

    // With indices each token has keys of its own.
    int64_t tile = indices ? 1 : tileTokens;
    for (int64_t b = 0; b + 1 < cuQ.dim(0); ++b) {
      Range range =
          sequenceRange(ctx, op, "cu_q", cuQ, b, tokens, params.first_token);
      Keys sequence = keysOf(b);
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t t = range.begin; t < range.end; t += tile)
          attend(sequence, range, h, t, std::min(t + tile, range.end));
    }
    return MLA_STATUS_OK;
  }

private:
  /// A sequence's keys: those at the logical positions [first, end) are in rows
  /// from `row` on; `length` counts all that it has, in the window or not.
  struct Keys {
    int64_t row = 0;
    int64_t first = 0;
    int64_t end = 0;
    int64_t length = 0;
  };

  Keys keysOf(int64_t b) {
    Keys result;
    if (params.window_length > 0) {
      result.length = sequenceLength(ctx, op, kvLens, b, INT32_MAX);
      result.row = b * params.window_length;
      result.first = params.window_start;
      result.end =
          std::min(params.window_start + params.window_length, result.length);
    } else {
      Range rows = sequenceRange(ctx, op, "cu_k", cuK, b, kNope.dim(0));
      result.row = rows.begin;
      result.end = result.length = rows.size();
    }
    return result;
  }

  void writeNothing(int64_t t) {
    for (int64_t h = 0; h < heads; ++h) {
      zeroRow(o, o.at(t, h));
      if (lse)
        floatAt(lse, t, h) = -std::numeric_limits<float>::infinity();
    }
  }

  /// Logical positions that token `t` sees are below this.
  int64_t bound(const Keys &sequence, const Range &range, int64_t t) const {
    if (!params.causal)
      return sequence.end;
    return std::min(sequence.end, sequence.length - (range.end - 1 - t));
  }

  void attend(const Keys &sequence, const Range &range, int64_t h,
              int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      float *row = q + (t - begin) * width;
      loadRow(query, query.at(t, h), row);
      for (int64_t i = 0; i < width; ++i)
        row[i] *= scale;
      softmax.reset(t - begin, sinks ? floatAt(sinks, h)
                                     : -std::numeric_limits<float>::infinity());
    }
    if (indices)
      addIndexed(sequence, h, begin, bound(sequence, range, begin));
    else
      addAll(sequence, range, h, begin, end);
    for (int64_t t = begin; t < end; ++t) {
      storeRow(o, o.at(t, h), softmax.finish(t - begin));
      if (lse)
        floatAt(lse, t, h) = softmax.lse(t - begin);
    }
  }

  void addAll(const Keys &sequence, const Range &range, int64_t h,
              int64_t begin, int64_t end) {
    int64_t last = bound(sequence, range, end - 1);
    for (int64_t k0 = sequence.first; k0 < last; k0 += blockKeys) {
      int64_t count = std::min(blockKeys, last - k0);
      for (int64_t k = 0; k < count; ++k)
        loadKey(sequence.row + k0 + k - sequence.first, h, k);
      for (int64_t t = begin; t < end; ++t)
        add(t - begin, std::min(count, bound(sequence, range, t) - k0));
    }
  }

  void addIndexed(const Keys &sequence, int64_t h, int64_t t, int64_t limit) {
    int64_t count = 0;
    for (int64_t i = 0; i < indices.dim(1); ++i) {
      int64_t position = loadInt(indices, t, i);
      if (position < sequence.first || position >= limit)
        continue;
      loadKey(sequence.row + position - sequence.first, h, count);
      if (++count == blockKeys) {
        add(0, count);
        count = 0;
      }
    }
    add(0, count);
  }

  void loadKey(int64_t row, int64_t h, int64_t k) {
    loadRow(kNope, kNope.at(row, h), keys + k * width);
    if (kPe)
      loadRow(kPe, kPe.at(row), keys + k * width + nopeWidth);
    loadRow(v, v.at(row, h), values + k * v.width());
  }

  /// Adds the block's first `count` keys to row `row` of the tile.
  void add(int64_t row, int64_t count) {
    if (count <= 0)
      return;
    gemmNT(1, count, width, q + row * width, width, keys, width, logits, count);
    softmax.add(row, 1, logits, count, count, values, v.width());
  }

  mla_context &ctx;
  const mla_expanded_attention_params &params;
  float scale;
  View query, kNope, kPe, v, cuQ, cuK, kvLens, sinks, indices, o, lse;
  int64_t heads, nopeWidth, width;
  float *q = nullptr; ///< The tile's queries, scaled.
  float *keys = nullptr;
  float *values = nullptr;
  float *logits = nullptr;
  Softmax softmax;
};

} // namespace

mla_status
mla::cpu::expanded_attention(mla_context &ctx,
                             const mla_expanded_attention_params &params) {
  return ExpandedAttention(ctx, params).run();
}
