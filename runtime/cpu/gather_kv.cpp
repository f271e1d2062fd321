//===- gather_kv.cpp - A window of cache rows to contiguous, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CacheRows.h"
#include "Rows.h"
#include "Sequences.h"

using namespace mla;
using namespace mla::cpu;

static const char *const op = "gather_kv";

namespace {

/// One part of the rows, the latent or the pe: `load` dequantizes a row.
template <typename Load>
void writeRow(const View &part, int64_t page, int64_t line, const View &out,
              int64_t row, float *buffer, Load load) {
  // Without a scale a row is copied or converted as it is.
  if (part.dtype != MLA_DTYPE_F8E4M3FN)
    return convertRow(part, part.at(page, line), out, out.at(row), buffer);
  load(buffer);
  storeRow(out, out.at(row), buffer);
}

} // namespace

mla_status mla::cpu::gather_kv(mla_context &ctx,
                               const mla_gather_kv_params &params) {
  PagedCache cache(ctx, op, params.cache_latent, params.cache_pe,
                   params.page_table);
  CacheRows rows(params.cache_latent, params.cache_pe, params.cache_scales);
  View kvLens(params.kv_lens), cKv(params.c_kv), kPe(params.k_pe);
  float *buffer = scratch(ctx, std::max(cKv.width(), kPe.width()) + 1);
  if (!buffer)
    return ctx.status;
  // With a scale that means nothing every row is written as 0.
  bool usable = rows.loadScales(ctx, op, params.latent_scale, params.pe_scale);
  for (int64_t b = 0; b < kvLens.dim(0); ++b) {
    int64_t length =
        sequenceLength(ctx, op, kvLens, b, cache.capacity(), params.max_kv);
    for (int64_t i = 0; i < params.window_length; ++i) {
      int64_t out = b * params.window_length + i, page, line;
      bool exists = usable && i < length - params.window_start &&
                    cache.find(b, params.window_start + i, page, line);
      if (!exists) {
        zeroRow(cKv, cKv.at(out));
        if (kPe)
          zeroRow(kPe, kPe.at(out));
        continue;
      }
      writeRow(rows.latent, page, line, cKv, out, buffer,
               [&](float *row) { rows.loadLatent(page, line, row); });
      if (kPe)
        writeRow(rows.pe, page, line, kPe, out, buffer,
                 [&](float *row) { rows.loadPe(page, line, row); });
    }
  }
  return MLA_STATUS_OK;
}
