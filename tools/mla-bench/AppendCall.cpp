//===- AppendCall.cpp - The call of append, and the rows that it moves ----===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calls.h"
#include "PagedCache.h"

#include <algorithm>

using namespace mla;
using namespace mla::bench;

namespace {

/// Where the tokens of a case go. No row of the cache and no row of the rotary
/// table is any two tokens'.
struct Tokens {
  int64_t pages; ///< Of the pool: little more than what is written to.
  int64_t tableRows;
  std::vector<int64_t> slots, positions;

  Tokens(const Case &c, std::mt19937 &random)
      : tableRows(std::max<int64_t>(c.tokens(), 1024)) {
    // A sequence's new keys are next to each other; single ones are anywhere.
    int64_t eachPages = pagesOf(c, c.newTokens);
    if (c.newTokens == 1) {
      pages = std::max(pagesOf(c, c.batch), std::min<int64_t>(c.batch, 256));
      slots = shuffled(pages * c.page, random);
      slots.resize(static_cast<size_t>(c.batch));
    } else {
      pages = c.batch * eachPages;
      std::vector<int64_t> order = shuffled(pages, random);
      for (int64_t t = 0; t < c.tokens(); ++t) {
        int64_t b = t / c.newTokens, i = t % c.newTokens;
        auto page = static_cast<size_t>(b * eachPages + i / c.page);
        slots.push_back(order[page] * c.page + i % c.page);
      }
    }
    std::vector<int64_t> starts = shuffled(tableRows / c.newTokens, random);
    for (int64_t t = 0; t < c.tokens(); ++t)
      positions.push_back(starts[static_cast<size_t>(t / c.newTokens)] *
                              c.newTokens +
                          t % c.newTokens);
  }
};

/// Of sliced inputs, the columns of a row that belong to nobody.
constexpr int64_t foreignColumns = 64;

/// c_kv and k_pe: outputs of one projection, or tensors of their own.
void makeKey(Operands &operands, const Case &c, mla_append_params &params) {
  if (c.sliced) {
    const mla_tensor *kv = operands.random(
        c.dtype, {c.tokens(), c.latent + c.pe + foreignColumns});
    params.c_kv = operands.columns(kv, 0, c.latent);
    params.k_pe = operands.columns(kv, c.latent, c.pe);
  } else {
    params.c_kv = operands.random(c.dtype, {c.tokens(), c.latent});
    if (c.pe)
      params.k_pe = operands.random(c.dtype, {c.tokens(), c.pe});
  }
  if (c.phase == Phase::Context && c.pe)
    params.k_pe_out = operands.zeros(c.dtype, {c.tokens(), c.pe});
}

/// q_nope and q_pe. What was absorbed is a product of its own, the rest is the
/// query projection's [nope | pe] of every head.
void makeQueryInputs(Operands &operands, const Case &c,
                     mla_append_params &params) {
  const mla_tensor *q = nullptr;
  if (c.sliced && (c.pe || c.phase == Phase::Context))
    q = operands.random(c.dtype, {c.tokens(), c.heads,
                                  c.nope + (c.pe ? c.pe : foreignColumns)});
  if (c.query == QueryMode::Assembled)
    params.q_nope =
        c.sliced && c.phase == Phase::Context
            ? operands.columns(q, 0, c.nope)
            : operands.random(c.dtype, {c.tokens(), c.heads, c.queryNope()});
  if (c.pe)
    params.q_pe = c.sliced
                      ? operands.columns(q, c.nope, c.pe)
                      : operands.random(c.dtype, {c.tokens(), c.heads, c.pe});
}

void makeQuery(Operands &operands, const Case &c, mla_append_params &params) {
  if (c.query == QueryMode::None)
    return;
  if (c.query != QueryMode::InPlace)
    makeQueryInputs(operands, c, params);
  // Rotated in place, it is an input too.
  params.query = operands.random(c.queryDtype(),
                                 {c.tokens(), c.heads, c.queryNope() + c.pe});
  if (c.queryDtype() != c.dtype)
    params.query_scale = operands.scalar(1);
}

/// `nope` and `pe`: those columns of the query, null where there are none.
std::vector<Transfer> transfersOf(const mla_append_params &p,
                                  const mla_tensor *nope,
                                  const mla_tensor *pe) {
  std::vector<Transfer> result = {
      move(rowsOf(p.c_kv), cacheRows(p.cache_latent, p.slots))};
  auto add = [&](const Rows &from, const Rows &to) {
    result.push_back(move(from, to));
  };
  if (p.cache_scales)
    add({}, cacheRows(p.cache_scales, p.slots));
  if (p.k_pe)
    add(rowsOf(p.k_pe), cacheRows(p.cache_pe, p.slots));
  if (p.k_pe_out)
    add({}, rowsOf(p.k_pe_out));
  if (p.q_nope)
    add(rowsOf(p.q_nope), rowsOf(nope));
  if (p.q_pe)
    add(rowsOf(p.q_pe), rowsOf(pe));
  else if (pe && p.rope_style != MLA_ROPE_NONE)
    add(rowsOf(pe), rowsOf(pe));
  if (p.cos_sin)
    add(rowsOf(p.cos_sin, p.positions), {});
  return result;
}

} // namespace

Call mla::bench::makeAppend(Operands &operands, const Case &c,
                            std::mt19937 &random) {
  Tokens tokens(c, random);
  CachePool pool(operands, c, tokens.pages);
  auto made =
      std::make_shared<mla_append_params>(makeParams<mla_append_params>());
  mla_append_params &params = *made;
  makeKey(operands, c, params);
  makeQuery(operands, c, params);
  params.slots = operands.integers({c.tokens()}, tokens.slots);
  params.latent_scale = pool.latentScale;
  params.pe_scale = pool.peScale;
  params.cache_latent = pool.latent;
  params.cache_pe = pool.pe;
  params.cache_scales = pool.scales;
  params.phase =
      c.phase == Phase::Context ? MLA_PHASE_CONTEXT : MLA_PHASE_GENERATION;
  if (c.rope != Rope::None) {
    params.cos_sin = operands.rotaryTable(tokens.tableRows, c.pe);
    params.positions = operands.integers({c.tokens()}, tokens.positions);
    params.rope_style =
        c.rope == Rope::Half ? MLA_ROPE_HALF : MLA_ROPE_INTERLEAVED;
    params.rope_head_dim = c.pe;
  }
  Call call;
  call.run = [made](mla_context *ctx) { return mla_append(ctx, made.get()); };
  const mla_tensor *nope = operands.columns(params.query, 0, c.queryNope());
  const mla_tensor *pe = operands.columns(params.query, c.queryNope(), c.pe);
  call.transfers = [=] { return transfersOf(*made, nope, pe); };
  call.append = made;
  return call;
}
