//===- AppendCase.h - One call of mla_append ------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_APPENDCASE_H
#define MLA_TEST_RUNTIME_OPS_APPENDCASE_H

#include "CachePool.h"
#include "TestContext.h"
#include "reference/append.h"

namespace mla {
namespace test {

/// Rows of the rotary table.
const int64_t maxPos = 97;

/// One call: what varies, its tensors, and what they held before it.
struct AppendCase {
  int64_t tokens = 5, heads = 3, latentWidth = 64, nope = 64, peWidth = 32;
  int64_t pageSize = 8, padding = 0;
  uint32_t dtype = MLA_DTYPE_F32, cacheDtype = MLA_DTYPE_F32;
  /// Of a part that differs; NONE: it doesn't.
  uint32_t queryDtype = MLA_DTYPE_NONE, peDtype = MLA_DTYPE_NONE;
  /// Of c_kv and k_pe, of q_nope, of k_pe_out.
  uint32_t kvDtype = MLA_DTYPE_NONE, nopeDtype = MLA_DTYPE_NONE,
           kPeOutDtype = MLA_DTYPE_NONE;
  bool blockScales = false, onePool = true;
  float queryFactor = 1, latentFactor = 1, peFactor = 1;
  bool withQuery = true, withQNope = true, withQPe = true, withCache = true,
       withKPeOut = false;
  int64_t style = MLA_ROPE_INTERLEAVED;
  int64_t rounding = 0;
  Layout layout = Layout::Gapped; ///< Of all rows.

  TestTensor cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  TestTensor query, queryScale, kPeOut, latent, pe;
  CachePool cache; ///< Owner of latent and pe.

  void build(Random &random);
  mla_append_params params() const;
  reference::AppendInputs inputs() const;
  reference::AppendState state() const {
    return {query.array(), kPeOut.array(), latent.array(), pe.array(),
            cache.scales.array()};
  }
  reference::RopeStyle referenceStyle() const {
    if (style == MLA_ROPE_NONE)
      return reference::RopeStyle::None;
    return style == MLA_ROPE_HALF ? reference::RopeStyle::Half
                                  : reference::RopeStyle::Interleaved;
  }
};

inline void AppendCase::build(Random &random) {
  auto make = [&](uint32_t type, Shape shape) {
    TestTensor tensor(type, std::move(shape), layout, random);
    tensor.fillRandom(random);
    return tensor;
  };
  // q_pe is a slice of q and k_pe of [c_kv | k_pe], as projections leave them.
  TestTensor q = make(dtype, {tokens, heads, nope + peWidth});
  TestTensor kv =
      make(kvDtype ? kvDtype : dtype, {tokens, latentWidth + peWidth});
  if (withQuery) {
    query =
        make(queryDtype ? queryDtype : dtype, {tokens, heads, nope + peWidth});
    if (query.dtype() == MLA_DTYPE_F8E4M3FN)
      queryScale = makeScalar(queryFactor);
    if (withQNope)
      qNope = nopeDtype ? make(nopeDtype, {tokens, heads, nope})
                        : q.columns(0, nope);
    if (withQPe && peWidth > 0)
      qPe = q.columns(nope, peWidth);
  }
  if ((withCache || withKPeOut) && peWidth > 0)
    kPe = kv.columns(latentWidth, peWidth);
  if (withKPeOut && peWidth > 0)
    kPeOut = make(kPeOutDtype ? kPeOutDtype : dtype, {tokens, peWidth});
  if (withCache) {
    cKv = kv.columns(0, latentWidth);
    int64_t pages = tokens / pageSize + 3;
    CacheSpec spec;
    spec.latentWidth = latentWidth;
    spec.peWidth = peWidth;
    spec.pageSize = pageSize;
    spec.latentDtype = cacheDtype;
    spec.peDtype = peDtype ? peDtype : cacheDtype;
    spec.blockScales = blockScales;
    spec.layout = layout;
    spec.latentScale = latentFactor;
    spec.peScale = peFactor;
    cache = CachePool(random, spec, pages, onePool);
    latent = cache.latent;
    pe = cache.pe;
    for (const TestTensor *part : {&latent, &pe, &cache.scales})
      if (*part)
        part->fillRandom(random);
    std::vector<int64_t> rows = random.choose(tokens, pages * pageSize);
    for (int64_t &row : rows)
      if (random.chance(0.2))
        row = -1;
    slots = TestTensor(MLA_DTYPE_I64, {tokens}, rows);
  }
  if (style != MLA_ROPE_NONE) {
    cosSin = make(MLA_DTYPE_F32, {maxPos, peWidth});
    positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                           {tokens}, Layout::Gapped, random);
    positions.forEach([&](const Shape &index) {
      positions.set(index, static_cast<double>(random.integer(0, maxPos - 1)));
    });
  }
  if (padding >= 0)
    cuQ = TestTensor(MLA_DTYPE_I32, {3}, {0, tokens / 2, tokens - padding});
}

inline mla_append_params AppendCase::params() const {
  auto params = makeParams<mla_append_params>();
  params.c_kv = cKv.get();
  params.k_pe = kPe.get();
  params.q_nope = qNope.get();
  params.q_pe = qPe.get();
  params.slots = slots.get();
  params.cos_sin = cosSin.get();
  params.positions = positions.get();
  params.cu_q = cuQ.get();
  params.query = query.get();
  params.k_pe_out = kPeOut.get();
  params.query_scale = queryScale.get();
  cache.set(params);
  params.rope_style = style;
  params.rope_head_dim = style ? peWidth : 0;
  params.rounding = rounding;
  return params;
}

inline reference::AppendInputs AppendCase::inputs() const {
  reference::AppendInputs inputs;
  inputs.cKv = cKv.array();
  inputs.kPe = kPe.array();
  inputs.qNope = qNope.array();
  inputs.qPe = qPe.array();
  inputs.slots = slots.array();
  inputs.cosSin = cosSin.array();
  inputs.positions = positions.array();
  inputs.cuQ = cuQ.array();
  inputs.ropeHeadDim = style ? peWidth : 0;
  inputs.queryScale = queryScale ? queryFactor : 0;
  inputs.latentScale = cache.latentScale ? latentFactor : 0;
  inputs.peScale = cache.peScale ? peFactor : 0;
  if (rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE)
    inputs.rounding = [type = dtype](double value) {
      uint64_t bits = 0;
      encode(type, value, &bits);
      return decode(type, &bits);
    };
  return inputs;
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_APPENDCASE_H
