//===- GatherCall.cpp - The call of gather_kv, and the rows that it moves -===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calls.h"
#include "PagedCache.h"

using namespace mla;
using namespace mla::bench;

Call mla::bench::makeGatherKV(Operands &operands, const Case &c,
                              std::mt19937 &random) {
  PagedCache cache(operands, c, random);
  auto params = makeParams<mla_gather_kv_params>();
  params.cache_latent = cache.pool.latent;
  params.cache_pe = cache.pool.pe;
  params.page_table = cache.pageTable;
  params.kv_lens = cache.kvLens;
  params.latent_scale = cache.pool.latentScale;
  params.pe_scale = cache.pool.peScale;
  params.c_kv = operands.zeros(c.dtype, {c.batch * c.mostKeys(), c.latent});
  if (c.pe)
    params.k_pe = operands.zeros(c.dtype, {c.batch * c.mostKeys(), c.pe});
  params.cache_scales = cache.pool.scales;
  params.window_length = c.mostKeys();

  // Rows that hold a key, and those that don't.
  std::vector<int64_t> full, padding;
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t key = 0; key < c.mostKeys(); ++key)
      (key < c.keysOf(b) ? full : padding).push_back(b * c.mostKeys() + key);
  auto indices = [&](const std::vector<int64_t> &values) {
    return operands.integers({static_cast<int64_t>(values.size())}, values);
  };
  const mla_tensor *slots = indices(cache.slots(c));
  // Without padding every row is its own index.
  const mla_tensor *rows = padding.empty() ? nullptr : indices(full);
  const mla_tensor *empty = padding.empty() ? nullptr : indices(padding);

  Call call;
  call.run = [=](mla_context *ctx) { return mla_gather_kv(ctx, &params); };
  call.transfers = [=] {
    std::vector<Transfer> result;
    auto part = [&](const mla_tensor *from, const mla_tensor *to) {
      if (!to)
        return;
      result.push_back(
          move(cacheRows(from, slots), rows ? rowsOf(to, rows) : rowsOf(to)));
      if (empty)
        result.push_back(move({}, rowsOf(to, empty)));
    };
    part(params.cache_latent, params.c_kv);
    part(params.cache_pe, params.k_pe);
    if (params.cache_scales)
      result.push_back(move(cacheRows(params.cache_scales, slots), {}));
    return result;
  };
  return call;
}
