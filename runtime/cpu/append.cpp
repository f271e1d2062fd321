//===- append.cpp - Rotation, cache rows and query assembly, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A token whose position is outside the table gets a query of 0 and no cache
// row. Padding writes no cache row either, whatever its slot says.
//
//===----------------------------------------------------------------------===//

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
        latent(params.cache_latent), pe(params.cache_pe) {
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
    int64_t width = std::max({query.width(), latent.width(), kPe.width()});
    table = scratch(ctx, cosSin.width() + width);
    if (!table)
      return ctx.status;
    row = table + cosSin.width();

    int64_t tokens = 0;
    for (const View *view : {&query, &cKv, &kPe, &kPeOut})
      if (*view)
        tokens = view->dim(0);
    int64_t real = cuQ ? numTokens(ctx, "append", cuQ, tokens) : tokens;
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

  /// Moves a positional row, rotated when there is a rotation.
  void movePe(const View &src, const char *from, const View &dst, char *to) {
    if (!rotates())
      return convertRow(src, from, dst, to, row);
    loadRow(src, from, row);
    rotate(row, table, src.width(), params.rope_style);
    if (params.rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE)
      roundRow(src.dtype, row, src.width());
    storeRow(dst, to, row);
  }

  void writeQuery(int64_t t) {
    if (!query)
      return;
    for (int64_t h = 0; h < query.dim(1); ++h) {
      if (qNope)
        convertRow(qNope, qNope.at(t, h), queryNope, queryNope.at(t, h), row);
      if (qPe)
        movePe(qPe, qPe.at(t, h), queryPe, queryPe.at(t, h));
      else if (rotates())
        movePe(queryPe, queryPe.at(t, h), queryPe, queryPe.at(t, h));
    }
  }

  void writeKey(int64_t t) {
    if (kPeOut)
      movePe(kPe, kPe.at(t), kPeOut, kPeOut.at(t));
    if (!latent)
      return;
    int64_t slot = loadInt(slots, t), pageSize = latent.dim(1);
    if (slot == -1)
      return;
    if (slot < 0 || slot >= latent.dim(0) * pageSize)
      return recordFault(ctx, "append", "slots", t, slot,
                         latent.dim(0) * pageSize);
    int64_t page = slot / pageSize, line = slot % pageSize;
    convertRow(cKv, cKv.at(t), latent, latent.at(page, line), row);
    if (kPe && pe)
      movePe(kPe, kPe.at(t), pe, pe.at(page, line));
  }

  mla_context &ctx;
  const mla_append_params &params;
  View cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  View query, kPeOut, latent, pe;
  View queryNope, queryPe;
  float *table = nullptr; ///< The token's cosines and sines.
  float *row = nullptr;   ///< The row on its way.
};

} // namespace

mla_status mla::cpu::supports_append(mla_context &ctx,
                                     const mla_append_params &params) {
  if (mla_status status =
          requireFloat(ctx, "append", "query", View(params.query)))
    return status;
  return requireFloatCache(ctx, "append", params.cache_latent, params.cache_pe,
                           params.cache_scales);
}

mla_status mla::cpu::append(mla_context &ctx, const mla_append_params &params) {
  return Append(ctx, params).run();
}
