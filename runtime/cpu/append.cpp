//===- append.cpp - Rotation, cache rows and query assembly, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A token whose position is outside the table gets a query of 0 and no cache
// row; so does every token where a scale means nothing. Padding writes no cache
// row either, whatever its slot says.
//
//===----------------------------------------------------------------------===//

#include "CacheRows.h"
#include "Rotation.h"

using namespace mla;
using namespace mla::cpu;

namespace {

class Append {
public:
  Append(mla_context &ctx, const mla_append_params &params)
      : ctx(ctx), params(params), cKv(params.c_kv), kPe(params.k_pe),
        qNope(params.q_nope), qPe(params.q_pe), slots(params.slots),
        cosSin(params.cos_sin), positions(params.positions), cuQ(params.cu_q),
        query(params.query), kPeOut(params.k_pe_out),
        rows(params.cache_latent, params.cache_pe, params.cache_scales) {
    // The query's pe part: what q_pe fills, or what rotates in place.
    int64_t peWidth = qPe ? qPe.width() : params.rope_head_dim;
    if (query) {
      queryPe = query.columns(query.width() - peWidth, peWidth);
      queryNope = query.columns(0, query.width() - peWidth);
    }
    if (qNope)
      queryNope = query.columns(0, qNope.width());
  }

  mla_status run() {
    int64_t width = std::max({query.width(), rows.latent.width(), kPe.width()});
    table = scratch(ctx, cosSin.width() + width);
    if (!table)
      return ctx.status;
    row = table + cosSin.width();

    int64_t tokens = 0;
    for (const View *view : {&query, &cKv, &kPe, &kPeOut})
      if (*view)
        tokens = view->dim(0);
    int64_t real = cuQ ? numTokens(ctx, "append", cuQ, tokens) : tokens;
    if (tokens > 0 && !loadScales())
      real = 0;
    for (int64_t t = 0; t < tokens; ++t) {
      if (t < real && findRotation(t)) {
        writeQuery(t);
        writeKey(t);
      } else {
        clear(t);
      }
    }
    return MLA_STATUS_OK;
  }

private:
  bool rotates() const { return params.rope_style != MLA_ROPE_NONE; }

  bool loadScales() {
    return loadScale(ctx, "append", "query_scale", params.query_scale,
                     queryScale) &&
           rows.loadScales(ctx, "append", params.latent_scale, params.pe_scale);
  }

  bool findRotation(int64_t t) {
    return !rotates() || loadCosSin(ctx, "append", cosSin, positions, t, table);
  }

  void clear(int64_t t) {
    if (query)
      for (int64_t h = 0; h < query.dim(1); ++h)
        zeroRow(query, query.at(t, h));
    if (kPeOut)
      zeroRow(kPeOut, kPeOut.at(t));
  }

  /// Leaves in `row` a positional row to be stored or quantized, rotated when
  /// there is a rotation.
  void loadPe(const View &src, const char *from) {
    loadRow(src, from, row);
    if (!rotates())
      return;
    rotate(row, table, src.width(), params.rope_style);
    if (params.rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE)
      roundRow(src.dtype, row, src.width());
  }

  /// Moves a positional row that isn't quantized.
  void movePe(const View &src, const char *from, const View &dst, char *to) {
    if (!rotates())
      return convertRow(src, from, dst, to, row);
    loadPe(src, from);
    storeRow(dst, to, row);
  }

  /// Writes `row` to the query's columns `dst`.
  void quantizeQuery(const View &dst, char *to) {
    scaleRow(row, dst.width(), 1.0f / queryScale);
    storeRow(dst, to, row);
  }

  void writeQuery(int64_t t) {
    if (!query)
      return;
    for (int64_t h = 0; h < query.dim(1); ++h) {
      if (isFp8(query)) {
        writeFp8Query(t, h);
        continue;
      }
      if (qNope)
        convertRow(qNope, qNope.at(t, h), queryNope, queryNope.at(t, h), row);
      if (qPe)
        movePe(qPe, qPe.at(t, h), queryPe, queryPe.at(t, h));
      else if (rotates())
        movePe(queryPe, queryPe.at(t, h), queryPe, queryPe.at(t, h));
    }
  }

  /// Nothing rotates in place here: those values are quantized already.
  void writeFp8Query(int64_t t, int64_t h) {
    if (qNope) {
      loadRow(qNope, qNope.at(t, h), row);
      quantizeQuery(queryNope, queryNope.at(t, h));
    }
    if (qPe) {
      loadPe(qPe, qPe.at(t, h));
      quantizeQuery(queryPe, queryPe.at(t, h));
    }
  }

  void writeKey(int64_t t) {
    if (kPeOut)
      movePe(kPe, kPe.at(t), kPeOut, kPeOut.at(t));
    const View &latent = rows.latent, &pe = rows.pe;
    if (!latent)
      return;
    int64_t slot = loadInt(slots, t), pageSize = latent.dim(1);
    if (slot == -1)
      return;
    if (slot < 0 || slot >= latent.dim(0) * pageSize)
      return recordFault(ctx, "append", "slots", t, slot,
                         latent.dim(0) * pageSize);
    int64_t page = slot / pageSize, line = slot % pageSize;
    if (isFp8(latent)) {
      loadRow(cKv, cKv.at(t), row);
      rows.storeLatent(page, line, row);
    } else {
      convertRow(cKv, cKv.at(t), latent, latent.at(page, line), row);
    }
    if (isFp8(pe)) {
      loadPe(kPe, kPe.at(t));
      rows.storePe(page, line, row);
    } else if (kPe && pe) {
      movePe(kPe, kPe.at(t), pe, pe.at(page, line));
    }
  }

  static bool isFp8(const View &view) {
    return view.dtype == MLA_DTYPE_F8E4M3FN;
  }

  mla_context &ctx;
  const mla_append_params &params;
  View cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  View query, kPeOut;
  CacheRows rows;
  View queryNope, queryPe;
  float queryScale = 1;
  float *table = nullptr; ///< The token's cosines and sines.
  float *row = nullptr;   ///< The row on its way.
};

} // namespace

mla_status mla::cpu::append(mla_context &ctx, const mla_append_params &params) {
  return Append(ctx, params).run();
}
