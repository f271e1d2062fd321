//===- expanded_attention.cpp - Over rebuilt keys and values, on the CPU --===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// softmax(q . [k_nope | k_pe] * scale) * v (DeepSeek-V2, arXiv:2405.04434,
// section 2.1.2). A tile's rows are tokens of one sequence and head, which
// share the head's keys and values. With indices each token has keys of its
// own, and a tile of its own.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Rows.h"
#include "Sequences.h"

#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

const char *const op = "expanded_attention";
const int64_t tileTokens = 128;
const int64_t keysAhead = 8;

class ExpandedAttention final : public Attention {
public:
  ExpandedAttention(mla_context &ctx,
                    const mla_expanded_attention_params &params)
      : Attention(ctx, shapeOf(params), maxTiles(params), params.o, params.lse),
        params(params), scale(static_cast<float>(params.softmax_scale)),
        query(params.q), kNope(params.k_nope), kPe(params.k_pe), v(params.v),
        cuQ(params.cu_q), cuK(params.cu_k), kvLens(params.kv_lens),
        sinks(params.sinks), indices(params.indices), heads(query.dim(1)),
        nopeWidth(kNope.width()) {}

private:
  static AttentionTile::Shape
  shapeOf(const mla_expanded_attention_params &params) {
    View query(params.q);
    int64_t rows = params.indices ? 1 : std::min(tileTokens, query.dim(0));
    View kNope(params.k_nope), kPe(params.k_pe), v(params.v);
    return {rows,
            {kNope.width(), rowKernels(kNope)},
            {kPe.width(), rowKernels(kPe)},
            {v.width(), rowKernels(v)},
            /*valuesApart=*/true};
  }

  static int64_t maxTiles(const mla_expanded_attention_params &params) {
    View query(params.q);
    int64_t tokens = query.dim(0);
    if (!params.indices)
      tokens = View(params.cu_q).dim(0) + tokens / tileTokens;
    return tokens * query.dim(1);
  }

  void prepare() override {
    int64_t tokens = query.dim(0), covered = 0;
    int64_t numSeqs = tokens > 0 && heads > 0 ? cuQ.dim(0) - 1 : 0;
    for (int64_t b = 0; b < numSeqs; ++b) {
      Range range =
          sequenceRange(ctx, op, "cu_q", cuQ, b, tokens, params.first_token);
      AttentionTask sequence = keysOf(b);
      // Offsets that go back, which is a fault, don't let two tiles share a
      // row.
      range.begin = std::max(range.begin, covered);
      if (range.begin >= range.end)
        continue;
      writeNothing(covered, range.begin);
      covered = range.end;
      sequence.tokensEnd = range.end;
      addSequence(sequence, range);
    }
    writeNothing(covered, tokens);
  }

  /// The sequence's keys: those at the positions [keyBegin, keyEnd) are there.
  AttentionTask keysOf(int64_t b) {
    AttentionTask result;
    result.sequence = b;
    if (params.window_length > 0) {
      result.length = sequenceLength(ctx, op, kvLens, b, INT32_MAX);
      result.keyRow = b * params.window_length - params.window_start;
      result.keyBegin = params.window_start;
      result.keyEnd =
          std::min(params.window_start + params.window_length, result.length);
    } else {
      Range rows = sequenceRange(ctx, op, "cu_k", cuK, b, kNope.dim(0));
      result.keyRow = rows.begin;
      result.keyEnd = result.length = rows.size();
    }
    return result;
  }

  void addSequence(const AttentionTask &sequence, Range range) {
    // All tiles as long as one another, or nearly so.
    int64_t tiles = (range.size() + tileTokens - 1) / tileTokens;
    int64_t size =
        std::min(tileTokens, paddedWidth((range.size() + tiles - 1) / tiles));
    if (indices)
      size = 1;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t t = range.begin; t < range.end; t += size) {
        AttentionTask tile = sequence;
        tile.head = h;
        tile.rowBegin = t;
        tile.rowEnd = std::min(t + size, range.end);
        // The last token sees the most.
        tile.keyEnd =
            std::max(tile.keyBegin, visible(sequence, tile.rowEnd - 1));
        if (indices) {
          tile.bound = tile.keyEnd;
          tile.keyEnd = tile.keyEnd > tile.keyBegin ? indices.dim(1) : 0;
          tile.keyBegin = 0;
        }
        addTile(tile);
      }
  }

  /// Positions that token `t` sees are below this. `sequence` has the keys of
  /// a sequence, or of a tile, whose end may be lower.
  int64_t visible(const AttentionTask &sequence, int64_t t) const {
    if (!params.causal)
      return sequence.keyEnd;
    return std::min(sequence.keyEnd,
                    sequence.length - (sequence.tokensEnd - 1 - t));
  }

  void loadQuery(const AttentionTask &task, int64_t row,
                 float *out) const override {
    loadRow(query, query.at(row, task.head), out);
    simd().scale(out, query.width(), scale);
  }

  float sinkOf(const AttentionTask &task, int64_t) const override {
    return sinks ? floatAt(sinks, task.head)
                 : -std::numeric_limits<float>::infinity();
  }

  int64_t boundOf(const AttentionTask &task, int64_t row) const override {
    return indices ? std::numeric_limits<int64_t>::max() : visible(task, row);
  }

  int64_t loadKeys(const AttentionTask &task, int64_t &next, int64_t most,
                   AttentionTile &tile, int64_t place) const override {
    if (indices)
      return loadIndexed(task, next, most, tile, place);
    int64_t count = std::min(most, task.keyEnd - next);
    for (int64_t k = 0; k < count; ++k) {
      // The rows of one head lie apart: the CPU doesn't foresee them.
      if (next + k + keysAhead < task.keyEnd)
        prefetchKey(task, next + k + keysAhead);
      loadKey(task, next + k, tile, place + k);
    }
    next += count;
    return count;
  }

  int64_t loadIndexed(const AttentionTask &task, int64_t &next, int64_t most,
                      AttentionTile &tile, int64_t place) const {
    int64_t first = params.window_length > 0 ? params.window_start : 0;
    int64_t count = 0;
    for (; next < task.keyEnd && count < most; ++next) {
      int64_t position = loadInt(indices, task.rowBegin, next);
      if (position >= first && position < task.bound)
        loadKey(task, position, tile, place + count++);
    }
    return count;
  }

  void loadKey(const AttentionTask &task, int64_t position, AttentionTile &tile,
               int64_t k) const {
    int64_t row = task.keyRow + position;
    if (tile.takesAddresses())
      return tile.setKey(k, kNope.at(row, task.head),
                         kPe ? kPe.at(row) : nullptr, v.at(row, task.head));
    loadRow(kNope, kNope.at(row, task.head), tile.key(k));
    if (kPe)
      loadRow(kPe, kPe.at(row), tile.key(k) + nopeWidth);
    loadRow(v, v.at(row, task.head), tile.value(k));
  }

  void prefetchKey(const AttentionTask &task, int64_t position) const {
    int64_t row = task.keyRow + position;
    prefetchRow(kNope, kNope.at(row, task.head));
    prefetchRow(v, v.at(row, task.head));
  }

  void store(const AttentionTask &task, int64_t row, const float *sum,
             float logSum) const override {
    storeState(row, task.head, sum, logSum);
  }

  const mla_expanded_attention_params &params;
  float scale;
  View query, kNope, kPe, v, cuQ, cuK, kvLens, sinks, indices;
  int64_t heads, nopeWidth;
};

} // namespace

mla_status
mla::cpu::expanded_attention(mla_context &ctx,
                             const mla_expanded_attention_params &params) {
  return ExpandedAttention(ctx, params).run();
}
