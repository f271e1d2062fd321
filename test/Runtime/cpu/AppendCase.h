//===- AppendCase.h - One call of mla_append ------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CPU_APPENDCASE_H
#define MLA_TEST_RUNTIME_CPU_APPENDCASE_H

#include "TestContext.h"
#include "TestTensor.h"
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
  bool withQuery = true, withQNope = true, withQPe = true, withCache = true,
       withKPeOut = false;
  int64_t style = MLA_ROPE_INTERLEAVED;
  int64_t rounding = 0;

  TestTensor cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  TestTensor query, kPeOut, latent, pe;

  void build(Random &random);
  mla_append_params params() const;
  reference::AppendInputs inputs() const;
  reference::AppendState state() const {
    return {query.array(), kPeOut.array(), latent.array(), pe.array()};
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
    TestTensor tensor(type, std::move(shape), Layout::Gapped, random);
    tensor.fillRandom(random);
    return tensor;
  };
  // q_pe is a slice of q and k_pe of [c_kv | k_pe], as projections leave them.
  TestTensor q = make(dtype, {tokens, heads, nope + peWidth});
  TestTensor kv = make(dtype, {tokens, latentWidth + peWidth});
  if (withQuery) {
    query = make(dtype, {tokens, heads, nope + peWidth});
    if (withQNope)
      qNope = q.columns(0, nope);
    if (withQPe && peWidth > 0)
      qPe = q.columns(nope, peWidth);
  }
  if ((withCache || withKPeOut) && peWidth > 0)
    kPe = kv.columns(latentWidth, peWidth);
  if (withKPeOut && peWidth > 0)
    kPeOut = make(dtype, {tokens, peWidth});
  if (withCache) {
    cKv = kv.columns(0, latentWidth);
    int64_t pages = tokens / pageSize + 3;
    TestTensor pool =
        make(cacheDtype, {pages, pageSize, latentWidth + peWidth});
    latent = pool.columns(0, latentWidth);
    if (peWidth > 0)
      pe = pool.columns(latentWidth, peWidth);
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
  params.cache_latent = latent.get();
  params.cache_pe = pe.get();
  params.rope_style = style;
  params.rope_head_dim = style ? peWidth : 0;
  params.rounding = rounding;
  return params;
}

inline reference::AppendInputs AppendCase::inputs() const {
  return {cKv.array(),       kPe.array(),   qNope.array(),
          qPe.array(),       slots.array(), cosSin.array(),
          positions.array(), cuQ.array(),   style ? peWidth : 0};
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CPU_APPENDCASE_H
