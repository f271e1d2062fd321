//===- absorbed_attention.cpp - Over the paged latent, on the CPU ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// softmax(query . [latent | pe] * scale) * latent (DeepSeek-V2,
// arXiv:2405.04434, section 2.1, W_UK absorbed). A tile's rows are (token,
// head) pairs of one sequence, all heads of a token first: they share the keys,
// which are read from the cache, and dequantized, once for the tile. With
// indices each token has keys of its own, and tiles of its own.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "CacheRows.h"
#include "Rows.h"
#include "Schedule.h"
#include "Sequences.h"

#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

const char *const op = "absorbed_attention";
const int64_t tileRows = 128;
const int64_t linesAhead = 8;

class AbsorbedAttention final : public Attention {
public:
  AbsorbedAttention(mla_context &ctx,
                    const mla_absorbed_attention_params &params)
      : Attention(ctx, shapeOf(params), maxTiles(params), params.o, params.lse),
        params(params), scale(static_cast<float>(params.softmax_scale)),
        query(params.query), kvLens(params.kv_lens), cuQ(params.cu_q),
        kvBounds(params.kv_bounds), schedule(params.schedule),
        sinks(params.sinks), indices(params.indices),
        cache(ctx, op, params.cache_latent, params.cache_pe, params.page_table),
        cacheRows(params.cache_latent, params.cache_pe, params.cache_scales),
        heads(query.dim(1)) {}

private:
  static AttentionTile::Shape
  shapeOf(const mla_absorbed_attention_params &params) {
    View query(params.query);
    int64_t rows = query.dim(1) * (params.indices ? 1 : query.dim(0));
    View latent(params.cache_latent), pe(params.cache_pe);
    AttentionTile::Part nope{latent.width(), rowKernels(latent)};
    return {std::min(tileRows, rows),
            nope,
            {pe.width(), rowKernels(pe)},
            nope,
            /*valuesApart=*/false};
  }

  static int64_t maxTiles(const mla_absorbed_attention_params &params) {
    View query(params.query);
    int64_t tokens = query.dim(0), heads = query.dim(1);
    if (params.indices)
      return tokens * (heads / tileRows + 1);
    return View(params.kv_lens).dim(0) + tokens * heads / tileRows;
  }

  void prepare() override {
    int64_t tokens = query.dim(0), numSeqs = kvLens.dim(0), covered = 0;
    // The dot products carry the query's scale as they do the softmax's.
    float queryScale = 1;
    bool usable =
        heads > 0 && tokens > 0 &&
        (!schedule ||
         checkSchedule(ctx, schedule, numSeqs, heads, cache.pageSize())) &&
        loadScale(ctx, op, "query_scale", params.query_scale, queryScale) &&
        cacheRows.loadScales(ctx, op, params.latent_scale, params.pe_scale);
    scale *= queryScale;
    for (int64_t b = 0; usable && b < numSeqs; ++b) {
      Range range = sequenceRange(ctx, op, "cu_q", cuQ, b, tokens);
      int64_t length =
          sequenceLength(ctx, op, kvLens, b, cache.capacity(), params.max_kv);
      // Offsets that go back, which is a fault, don't let two tiles share a
      // row.
      range.begin = std::max(range.begin, covered);
      if (range.begin >= range.end)
        continue;
      writeNothing(covered, range.begin);
      covered = range.end;
      addSequence(b, range, length);
    }
    writeNothing(covered, tokens);
  }

  void addSequence(int64_t b, Range range, int64_t length) {
    int64_t most = 0;
    for (int64_t t = range.begin; t < range.end; ++t) {
      if (kvBounds &&
          (loadInt(kvBounds, t) < 0 || loadInt(kvBounds, t) > length))
        recordFault(ctx, op, "kv_bounds", t, loadInt(kvBounds, t), length + 1);
      most = std::max(most, visible(t, length, range.end));
    }
    if (!checkPages(b, range, length, most))
      length = 0;
    // With indices a token, else the sequence.
    int64_t group = indices ? 1 : range.size();
    for (int64_t t = range.begin; t < range.end; t += group) {
      int64_t rows = group * heads;
      int64_t tiles = (rows + tileRows - 1) / tileRows;
      int64_t size =
          std::min(tileRows, paddedWidth((rows + tiles - 1) / tiles));
      for (int64_t row = 0; row < rows; row += size) {
        AttentionTask tile;
        tile.sequence = b;
        tile.rowBegin = t * heads + row;
        tile.rowEnd = t * heads + std::min(row + size, rows);
        tile.length = length;
        tile.tokensEnd = range.end;
        for (int64_t i = tile.rowBegin; i < tile.rowEnd; ++i)
          tile.keyEnd =
              std::max(tile.keyEnd, visible(i / heads, length, range.end));
        if (indices) {
          tile.bound = tile.keyEnd;
          tile.keyEnd = tile.bound > 0 ? indices.dim(1) : 0;
        }
        addTile(tile);
      }
    }
  }

  /// How many keys of a sequence of `length` token `t` sees.
  int64_t visible(int64_t t, int64_t length, int64_t tokensEnd) const {
    if (!kvBounds)
      return length - (tokensEnd - 1 - t);
    return std::min(loadInt(kvBounds, t), length);
  }

  /// Whether all pages exist that hold keys of a sequence which its tokens see;
  /// no token sees `most` or more.
  bool checkPages(int64_t b, Range range, int64_t length, int64_t most) const {
    bool sound = true;
    int64_t pages = (most + cache.pageSize() - 1) / cache.pageSize();
    for (int64_t i = 0; sound && i < pages; ++i)
      sound = cache.exists(cache.pageOf(b, i));
    if (sound)
      return true;
    // Which of the bad entries are followed, and which one first?
    for (int64_t t = range.begin; t < range.end; ++t) {
      int64_t bound = visible(t, length, range.end);
      for (int64_t i = 0, n = indices ? indices.dim(1) : bound; i < n; ++i) {
        int64_t position = indices ? loadInt(indices, t, i) : i, page, line;
        if (position >= 0 && position < bound &&
            !cache.find(b, position, page, line))
          return false;
      }
    }
    return true;
  }

  void loadQuery(const AttentionTask &, int64_t row,
                 float *out) const override {
    loadRow(query, query.at(row / heads, row % heads), out);
    simd().scale(out, query.width(), scale);
  }

  float sinkOf(const AttentionTask &, int64_t row) const override {
    return sinks ? floatAt(sinks, row % heads)
                 : -std::numeric_limits<float>::infinity();
  }

  int64_t boundOf(const AttentionTask &task, int64_t row) const override {
    if (indices)
      return std::numeric_limits<int64_t>::max();
    return visible(row / heads, task.length, task.tokensEnd);
  }

  int64_t loadKeys(const AttentionTask &task, int64_t &next, int64_t most,
                   AttentionTile &tile, int64_t place) const override {
    if (indices)
      return loadIndexed(task, next, most, tile, place);
    int64_t count = std::min(most, task.keyEnd - next);
    int64_t size = cache.pageSize();
    int64_t logical = next / size, line = next % size;
    for (int64_t k = 0; k < count; ++logical, line = 0) {
      int64_t page = cache.pageOf(task.sequence, logical);
      for (; line < size && k < count; ++line, ++k) {
        if (!tile.takesAddresses() && line + linesAhead < size)
          prefetchRow(cache.latent, cache.latent.at(page, line + linesAhead));
        loadKey(page, line, tile, place + k);
      }
    }
    next += count;
    return count;
  }

  int64_t loadIndexed(const AttentionTask &task, int64_t &next, int64_t most,
                      AttentionTile &tile, int64_t place) const {
    int64_t token = task.rowBegin / heads, size = cache.pageSize(), count = 0;
    // Whether candidate `i` is a key that the token sees, and where.
    int64_t page = 0, line = 0;
    auto find = [&](int64_t i) {
      int64_t position = loadInt(indices, token, i);
      if (position < 0 || position >= task.bound)
        return false;
      page = cache.pageOf(task.sequence, position / size);
      line = position % size;
      return true;
    };
    for (; next < task.keyEnd && count < most; ++next) {
      if (!tile.takesAddresses() && next + linesAhead < task.keyEnd &&
          find(next + linesAhead))
        prefetchRow(cache.latent, cache.latent.at(page, line));
      if (find(next))
        loadKey(page, line, tile, place + count++);
    }
    return count;
  }

  void loadKey(int64_t page, int64_t line, AttentionTile &tile,
               int64_t k) const {
    if (!tile.takesAddresses())
      return cacheRows.load(page, line, tile.key(k));
    const void *latent = cache.latent.at(page, line);
    tile.setKey(k, latent, cache.pe ? cache.pe.at(page, line) : nullptr,
                latent);
  }

  void store(const AttentionTask &, int64_t row, const float *sum,
             float logSum) const override {
    storeState(row / heads, row % heads, sum, logSum);
  }

  const mla_absorbed_attention_params &params;
  float scale; ///< Of the logits.
  View query, kvLens, cuQ, kvBounds, schedule, sinks, indices;
  PagedCache cache;
  CacheRows cacheRows;
  int64_t heads;
};

} // namespace

mla_status
mla::cpu::absorbed_attention(mla_context &ctx,
                             const mla_absorbed_attention_params &params) {
  return AbsorbedAttention(ctx, params).run();
}
