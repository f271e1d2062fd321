//===- Workload.cpp - A case with its operands, ready to be called --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace mla;
using namespace mla::bench;

namespace {

const uint32_t f32 = MLA_DTYPE_F32;

template <typename Params> Params makeParams() {
  Params params = {};
  params.struct_size = sizeof(Params);
  return params;
}

/// The paged cache of a case and where its sequences lie in it.
struct Cache {
  const mla_tensor *latent, *pe, *scales = nullptr;
  const mla_tensor *latentScale = nullptr, *peScale = nullptr;
  const mla_tensor *pageTable, *kvLens, *cuQ, *cuK;
  int64_t columns;            ///< Pages that the table has room for.
  std::vector<int32_t> table; ///< -1 beyond a sequence's pages.

  Cache(Operands &operands, const Case &c) {
    int64_t pages = 0;
    std::vector<int32_t> lengths, firstTokens{0}, firstKeys{0};
    for (int64_t b = 0; b < c.batch; ++b) {
      pages += pagesOf(c, c.keysOf(b));
      lengths.push_back(static_cast<int32_t>(c.keysOf(b)));
      firstTokens.push_back(firstTokens.back() +
                            static_cast<int32_t>(c.newTokens));
      firstKeys.push_back(firstKeys.back() + lengths.back());
    }
    columns = pagesOf(c, c.mostKeys());
    makePool(operands, c, std::max<int64_t>(pages, 1));
    makeTable(c, pages);
    pageTable = operands.integers({c.batch, columns}, table);
    kvLens = operands.integers({c.batch}, lengths);
    cuQ = operands.integers({c.batch + 1}, firstTokens);
    cuK = operands.integers({c.batch + 1}, firstKeys);
  }

  static int64_t pagesOf(const Case &c, int64_t keys) {
    return (keys + c.page - 1) / c.page;
  }

  void makePool(Operands &operands, const Case &c, int64_t pages) {
    if (c.cacheFormat == CacheFormat::Fp8Blocks) {
      const mla_tensor *rows =
          operands.packedRows(pages, c.page, c.latent, c.dtype, c.pe);
      int64_t blocks = c.latent / 128;
      latent = operands.field(rows, 0, c.cacheDtype, c.latent);
      scales = operands.field(rows, c.latent, f32, blocks);
      pe = operands.field(rows, c.latent + 4 * blocks, c.dtype, c.pe);
      return;
    }
    const mla_tensor *pool =
        operands.random(c.cacheDtype, {pages, c.page, c.latent + c.pe});
    latent = operands.columns(pool, 0, c.latent);
    pe = operands.columns(pool, c.latent, c.pe);
    if (c.cacheDtype == MLA_DTYPE_F8E4M3FN) {
      latentScale = operands.scalar(1);
      peScale = pe ? operands.scalar(1) : nullptr;
    }
  }

  void makeTable(const Case &c, int64_t pages) {
    std::vector<int32_t> order(static_cast<size_t>(pages));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    auto next = order.begin();
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t i = 0; i < columns; ++i)
        table.push_back(i < pagesOf(c, c.keysOf(b)) ? *next++ : -1);
  }

  /// Global positions of the new tokens, and the cache's rows of those.
  std::vector<int64_t> positions(const Case &c) const {
    std::vector<int64_t> result;
    for (int64_t b = 0; b < c.batch; ++b)
      for (int64_t i = 0; i < c.newTokens; ++i)
        result.push_back(c.keysOf(b) - c.newTokens + i);
    return result;
  }
  std::vector<int64_t> slots(const Case &c) const {
    std::vector<int64_t> result = positions(c);
    for (size_t t = 0; t < result.size(); ++t) {
      int64_t b = static_cast<int64_t>(t) / c.newTokens, p = result[t];
      auto entry = static_cast<size_t>(b * columns + p / c.page);
      result[t] = table[entry] * c.page + p % c.page;
    }
    return result;
  }
};

using Body = std::function<mla_status()>;

Body absorbedAttention(mla_context *ctx, Operands &operands, const Case &c) {
  Cache cache(operands, c);
  auto params = makeParams<mla_absorbed_attention_params>();
  params.query =
      operands.random(c.queryDtype(), {c.tokens(), c.heads, c.latent + c.pe});
  if (c.queryDtype() != c.dtype)
    params.query_scale = operands.scalar(1);
  params.cache_latent = cache.latent;
  params.cache_pe = cache.pe;
  params.cache_scales = cache.scales;
  params.page_table = cache.pageTable;
  params.kv_lens = cache.kvLens;
  params.cu_q = cache.cuQ;
  params.latent_scale = cache.latentScale;
  params.pe_scale = cache.peScale;
  params.o = operands.zeros(c.dtype, {c.tokens(), c.heads, c.latent});
  params.lse = operands.zeros(f32, {c.tokens(), c.heads});
  params.softmax_scale = 1 / std::sqrt(static_cast<double>(c.nope + c.pe));
  params.max_kv = c.mostKeys();
  // The split of the work is made once a step, and isn't the attention's time.
  auto plan = makeParams<mla_schedule_params>();
  plan.kv_lens = cache.kvLens;
  plan.cu_q = cache.cuQ;
  plan.schedule = params.schedule =
      operands.zeros(MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(c.batch)});
  plan.num_heads = c.heads;
  plan.page_size = c.page;
  mla_schedule(ctx, &plan); // the sticky status keeps an error
  return [=] { return mla_absorbed_attention(ctx, &params); };
}

Body expandedAttention(mla_context *ctx, Operands &operands, const Case &c) {
  Cache cache(operands, c);
  const mla_tensor *kv =
      operands.random(c.dtype, {c.allKeys(), c.heads, c.nope + c.value});
  auto params = makeParams<mla_expanded_attention_params>();
  params.q = operands.random(c.dtype, {c.tokens(), c.heads, c.nope + c.pe});
  params.k_nope = operands.columns(kv, 0, c.nope);
  params.v = operands.columns(kv, c.nope, c.value);
  if (c.pe)
    params.k_pe = operands.random(c.dtype, {c.allKeys(), c.pe});
  params.cu_q = cache.cuQ;
  params.cu_k = cache.cuK;
  params.o = operands.zeros(c.dtype, {c.tokens(), c.heads, c.value});
  params.softmax_scale = 1 / std::sqrt(static_cast<double>(c.nope + c.pe));
  params.causal = 1;
  return [=] { return mla_expanded_attention(ctx, &params); };
}

Body expandKV(mla_context *ctx, Operands &operands, const Case &c) {
  auto params = makeParams<mla_expand_kv_params>();
  params.c_kv = operands.random(c.dtype, {c.allKeys(), c.latent});
  params.w_kv_b =
      operands.random(c.dtype, {c.heads, c.nope + c.value, c.latent});
  params.kv = operands.zeros(c.dtype, {c.allKeys(), c.heads, c.nope + c.value});
  return [=] { return mla_expand_kv(ctx, &params); };
}

Body absorbQ(mla_context *ctx, Operands &operands, const Case &c) {
  auto params = makeParams<mla_absorb_q_params>();
  params.q_nope = operands.columns(
      operands.random(c.dtype, {c.tokens(), c.heads, c.nope + c.pe}), 0,
      c.nope);
  params.w_uk = operands.random(c.dtype, {c.heads, c.nope, c.latent});
  params.query = operands.columns(
      operands.zeros(c.dtype, {c.tokens(), c.heads, c.latent + c.pe}), 0,
      c.latent);
  return [=] { return mla_absorb_q(ctx, &params); };
}

Body projectV(mla_context *ctx, Operands &operands, const Case &c) {
  auto params = makeParams<mla_project_v_params>();
  params.o_latent = operands.random(c.dtype, {c.tokens(), c.heads, c.latent});
  params.w_uv = operands.random(c.dtype, {c.heads, c.value, c.latent});
  params.out = operands.zeros(c.dtype, {c.tokens(), c.heads, c.value});
  return [=] { return mla_project_v(ctx, &params); };
}

Body append(mla_context *ctx, Operands &operands, const Case &c) {
  Cache cache(operands, c);
  auto params = makeParams<mla_append_params>();
  const mla_tensor *kv =
      operands.random(c.dtype, {c.tokens(), c.latent + c.pe});
  const mla_tensor *q =
      operands.random(c.dtype, {c.tokens(), c.heads, c.nope + c.pe});
  params.c_kv = operands.columns(kv, 0, c.latent);
  params.k_pe = operands.columns(kv, c.latent, c.pe);
  params.q_pe = operands.columns(q, c.nope, c.pe);
  params.slots = operands.integers({c.tokens()}, cache.slots(c));
  params.latent_scale = cache.latentScale;
  params.pe_scale = cache.peScale;
  params.query =
      operands.zeros(c.dtype, {c.tokens(), c.heads, c.latent + c.pe});
  params.cache_latent = cache.latent;
  params.cache_pe = cache.pe;
  params.cache_scales = cache.scales;
  if (c.rope) {
    params.cos_sin = operands.rotaryTable(c.mostKeys(), c.pe);
    params.positions = operands.integers({c.tokens()}, cache.positions(c));
    params.rope_style = MLA_ROPE_INTERLEAVED;
    params.rope_head_dim = c.pe;
  }
  return [=] { return mla_append(ctx, &params); };
}

Body gatherKV(mla_context *ctx, Operands &operands, const Case &c) {
  Cache cache(operands, c);
  auto params = makeParams<mla_gather_kv_params>();
  params.cache_latent = cache.latent;
  params.cache_pe = cache.pe;
  params.page_table = cache.pageTable;
  params.kv_lens = cache.kvLens;
  params.latent_scale = cache.latentScale;
  params.pe_scale = cache.peScale;
  params.c_kv = operands.zeros(c.dtype, {c.batch * c.mostKeys(), c.latent});
  if (c.pe)
    params.k_pe = operands.zeros(c.dtype, {c.batch * c.mostKeys(), c.pe});
  params.cache_scales = cache.scales;
  params.window_length = c.mostKeys();
  return [=] { return mla_gather_kv(ctx, &params); };
}

Body mergeStates(mla_context *ctx, Operands &operands, const Case &c) {
  auto params = makeParams<mla_merge_states_params>();
  params.o_states =
      operands.random(c.dtype, {c.states, c.tokens(), c.heads, c.latent});
  params.lse_states = operands.random(f32, {c.states, c.tokens(), c.heads});
  params.o = operands.random(f32, {c.tokens(), c.heads, c.latent});
  params.lse = operands.random(f32, {c.tokens(), c.heads});
  return [=] { return mla_merge_states(ctx, &params); };
}

} // namespace

Workload::Workload(mla_context *ctx, Device &device, const Case &c)
    : operands(ctx, device) {
  switch (c.op) {
  case Op::AbsorbedAttention:
    body = absorbedAttention(ctx, operands, c);
    break;
  case Op::ExpandedAttention:
    body = expandedAttention(ctx, operands, c);
    break;
  case Op::ExpandKV:
    body = expandKV(ctx, operands, c);
    break;
  case Op::AbsorbQ:
    body = absorbQ(ctx, operands, c);
    break;
  case Op::ProjectV:
    body = projectV(ctx, operands, c);
    break;
  case Op::Append:
    body = append(ctx, operands, c);
    break;
  case Op::GatherKV:
    body = gatherKV(ctx, operands, c);
    break;
  case Op::MergeStates:
    body = mergeStates(ctx, operands, c);
    break;
  }
}
