//===- gather_kv.cpp - A window of cache rows to contiguous, on the CPU ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Rows.h"
#include "Sequences.h"

using namespace mla;
using namespace mla::cpu;

static const char *const op = "gather_kv";

mla_status mla::cpu::supports_gather_kv(mla_context &ctx,
                                        const mla_gather_kv_params &params) {
  return requireFloatCache(ctx, op, params.cache_latent, params.cache_pe,
                           params.cache_scales);
}

mla_status mla::cpu::gather_kv(mla_context &ctx,
                               const mla_gather_kv_params &params) {
  PagedCache cache(ctx, op, params.cache_latent, params.cache_pe,
                   params.page_table);
  View kvLens(params.kv_lens), cKv(params.c_kv), kPe(params.k_pe);
  float *buffer = scratch(ctx, std::max(cKv.width(), kPe.width()) + 1);
  if (!buffer)
    return ctx.status;
  int64_t capacity = cache.capacity();
  if (params.max_kv > 0)
    capacity = std::min(capacity, params.max_kv);
  for (int64_t b = 0; b < kvLens.dim(0); ++b) {
    int64_t length = sequenceLength(ctx, op, kvLens, b, capacity);
    for (int64_t i = 0; i < params.window_length; ++i) {
      int64_t out = b * params.window_length + i, page, row;
      bool exists = i < length - params.window_start &&
                    cache.find(b, params.window_start + i, page, row);
      if (!exists) {
        zeroRow(cKv, cKv.at(out));
        if (kPe)
          zeroRow(kPe, kPe.at(out));
        continue;
      }
      convertRow(cache.latent, cache.latent.at(page, row), cKv, cKv.at(out),
                 buffer);
      if (kPe)
        convertRow(cache.pe, cache.pe.at(page, row), kPe, kPe.at(out), buffer);
    }
  }
  return MLA_STATUS_OK;
}
