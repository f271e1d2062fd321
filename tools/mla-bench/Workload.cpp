//===- Workload.cpp - A case with its operands, ready to be called --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include "PagedCache.h"

#include <cmath>
#include <numeric>

using namespace mla;
using namespace mla::bench;

namespace {

const uint32_t f32 = MLA_DTYPE_F32;

/// The call `function(params)`.
template <typename Params>
Call callOf(mla_status (*function)(mla_context *, const Params *),
            const Params &params) {
  Call call;
  call.run = [=](mla_context *ctx) { return function(ctx, &params); };
  return call;
}

/// Of each token the positions that it attends to, random and distinct; -1
/// where it sees fewer.
std::vector<int32_t> chooseKeys(const Case &c, std::mt19937 &random) {
  std::vector<int32_t> indices;
  for (int64_t b = 0; b < c.batch; ++b) {
    std::vector<int32_t> order(static_cast<size_t>(c.keysOf(b)));
    std::iota(order.begin(), order.end(), 0);
    for (int64_t i = 0; i < c.newTokens; ++i) {
      // Those that the token sees come first, in whatever order: each token
      // sees one more.
      int64_t seen = c.visibleTo(b, i), count = c.attendedBy(b, i);
      for (int64_t j = 0; j < c.topk; ++j) {
        if (j < count) {
          std::uniform_int_distribution<int64_t> any(j, seen - 1);
          std::swap(order[static_cast<size_t>(j)],
                    order[static_cast<size_t>(any(random))]);
        }
        indices.push_back(j < count ? order[static_cast<size_t>(j)] : -1);
      }
    }
  }
  return indices;
}

Call absorbedAttention(Operands &operands, const Case &c,
                       std::mt19937 &random) {
  PagedCache cache(operands, c, random);
  auto params = makeParams<mla_absorbed_attention_params>();
  params.query =
      operands.random(c.queryDtype(), {c.tokens(), c.heads, c.latent + c.pe});
  if (c.queryDtype() != c.dtype)
    params.query_scale = operands.scalar(1);
  params.cache_latent = cache.pool.latent;
  params.cache_pe = cache.pool.pe;
  params.cache_scales = cache.pool.scales;
  params.page_table = cache.pageTable;
  params.kv_lens = cache.kvLens;
  params.cu_q = cache.cuQ;
  params.latent_scale = cache.pool.latentScale;
  params.pe_scale = cache.pool.peScale;
  params.o = operands.zeros(c.dtype, {c.tokens(), c.heads, c.latent});
  params.lse = operands.zeros(f32, {c.tokens(), c.heads});
  params.softmax_scale = 1 / std::sqrt(static_cast<double>(c.nope + c.pe));
  params.max_kv = c.mostKeys();
  if (c.topk > 0) {
    params.indices =
        operands.integers({c.tokens(), c.topk}, chooseKeys(c, random));
    return callOf(mla_absorbed_attention, params);
  }
  // The split of the work is made once a step, and isn't the attention's time.
  auto plan = makeParams<mla_schedule_params>();
  plan.kv_lens = cache.kvLens;
  plan.cu_q = cache.cuQ;
  plan.schedule = params.schedule =
      operands.zeros(MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(c.batch)});
  plan.num_heads = c.heads;
  plan.page_size = c.page;
  Call call = callOf(mla_absorbed_attention, params);
  // The sticky status keeps an error.
  call.prepare = [=](mla_context *ctx) { mla_schedule(ctx, &plan); };
  return call;
}

Call expandedAttention(Operands &operands, const Case &c,
                       std::mt19937 &random) {
  PagedCache cache(operands, c, random);
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
  return callOf(mla_expanded_attention, params);
}

Call expandKV(Operands &operands, const Case &c) {
  auto params = makeParams<mla_expand_kv_params>();
  params.c_kv = operands.random(c.dtype, {c.allKeys(), c.latent});
  params.w_kv_b =
      operands.random(c.dtype, {c.heads, c.nope + c.value, c.latent});
  params.kv = operands.zeros(c.dtype, {c.allKeys(), c.heads, c.nope + c.value});
  return callOf(mla_expand_kv, params);
}

Call absorbQ(Operands &operands, const Case &c) {
  auto params = makeParams<mla_absorb_q_params>();
  params.q_nope = operands.columns(
      operands.random(c.dtype, {c.tokens(), c.heads, c.nope + c.pe}), 0,
      c.nope);
  params.w_uk = operands.random(c.dtype, {c.heads, c.nope, c.latent});
  params.query = operands.columns(
      operands.zeros(c.dtype, {c.tokens(), c.heads, c.latent + c.pe}), 0,
      c.latent);
  return callOf(mla_absorb_q, params);
}

Call projectV(Operands &operands, const Case &c) {
  auto params = makeParams<mla_project_v_params>();
  params.o_latent = operands.random(c.dtype, {c.tokens(), c.heads, c.latent});
  params.w_uv = operands.random(c.dtype, {c.heads, c.value, c.latent});
  params.out = operands.zeros(c.dtype, {c.tokens(), c.heads, c.value});
  return callOf(mla_project_v, params);
}

Call mergeStates(Operands &operands, const Case &c) {
  auto params = makeParams<mla_merge_states_params>();
  params.o_states =
      operands.random(c.dtype, {c.states, c.tokens(), c.heads, c.latent});
  params.lse_states = operands.random(f32, {c.states, c.tokens(), c.heads});
  params.o = operands.random(f32, {c.tokens(), c.heads, c.latent});
  params.lse = operands.random(f32, {c.tokens(), c.heads});
  return callOf(mla_merge_states, params);
}

Call makeCall(Operands &operands, const Case &c, std::mt19937 &random) {
  switch (c.op) {
  case Op::AbsorbedAttention:
    return absorbedAttention(operands, c, random);
  case Op::ExpandedAttention:
    return expandedAttention(operands, c, random);
  case Op::ExpandKV:
    return expandKV(operands, c);
  case Op::AbsorbQ:
    return absorbQ(operands, c);
  case Op::ProjectV:
    return projectV(operands, c);
  case Op::Append:
    return makeAppend(operands, c, random);
  case Op::GatherKV:
    return makeGatherKV(operands, c, random);
  case Op::MergeStates:
    return mergeStates(operands, c);
  }
  return {};
}

} // namespace

Workload::Workload(mla_context *ctx, Device &device, const Case &c, int64_t set,
                   double spread)
    : ctx(ctx), operands(ctx, device, spread) {
  std::mt19937 random(static_cast<uint32_t>(set + 1));
  made = makeCall(operands, c, random);
  if (operands.allocate() && ctx && made.prepare)
    made.prepare(ctx);
}

std::vector<Transfer> Workload::transfers() const {
  return made.transfers ? made.transfers() : std::vector<Transfer>();
}
