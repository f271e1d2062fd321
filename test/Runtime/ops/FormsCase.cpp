//===- FormsCase.cpp - One attention in both forms, in parts --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "FormsCase.h"

using namespace mla;
using namespace mla::test;

static const double none = -std::numeric_limits<double>::infinity();
static const double softmaxScale = 0.15;

PagedBatch FormsCase::makeBatch(Random &random,
                                const std::vector<int64_t> &lengths,
                                const std::vector<int64_t> &newTokens,
                                int64_t padding, int64_t peWidth) {
  CacheSpec spec;
  spec.latentWidth = 64;
  spec.peWidth = peWidth;
  spec.pageSize = random.pick<int64_t>({1, 8, 16});
  return PagedBatch(random, spec, lengths, newTokens, padding);
}

FormsCase::FormsCase(TestContext &ctx, uint64_t seed,
                     const std::vector<int64_t> &lengths,
                     const std::vector<int64_t> &newTokens, int64_t padding,
                     int64_t peWidth)
    : batch([&] {
        Random random(seed);
        return makeBatch(random, lengths, newTokens, padding, peWidth);
      }()),
      ctx(ctx), engine(seed + 1000) {
  for (int64_t length : lengths)
    most = std::max(most, length);
  qNope = make({batch.numTokens, heads, nope}, 2);
  if (peWidth > 0)
    qPe = make({batch.numTokens, heads, peWidth}, 2);
  weights = make({heads, nope + value, batch.spec.latentWidth}, 0.3);
  sinks = make({heads}, 2);
}

TestTensor FormsCase::make(const Shape &shape, double range) const {
  TestTensor tensor(MLA_DTYPE_F32, shape, Layout::Gapped, engine);
  tensor.fillRandom(engine, -range, range);
  return tensor;
}

/// The view of indices [begin, begin + count) of the middle dim.
static mla_tensor middle(const TestTensor &tensor, int64_t begin,
                         int64_t count) {
  mla_tensor view = *tensor.get();
  view.shape[1] = count;
  view.byte_offset += static_cast<uint64_t>(begin * view.strides[1]) *
                      (mla_dtype_bits(view.dtype) / 8);
  return view;
}

reference::State FormsCase::absorbed(const TestTensor &indices,
                                     const TestTensor &sinks) const {
  int64_t tokens = batch.numTokens, width = batch.spec.latentWidth;
  int64_t peWidth = batch.spec.peWidth;
  TestTensor query = make({tokens, heads, width + peWidth}, 1);
  TestTensor latentQuery = query.columns(0, width);
  mla_tensor keys = middle(weights, 0, nope),
             values = middle(weights, nope, value);
  auto absorb = makeParams<mla_absorb_q_params>();
  absorb.q_nope = qNope.get();
  absorb.w_uk = &keys;
  absorb.query = latentQuery.get();
  EXPECT_EQ(mla_absorb_q(ctx, &absorb), MLA_STATUS_OK) << mla_last_error(ctx);
  if (peWidth > 0)
    query.columns(width, peWidth).assign(qPe.array());

  TestTensor latent = make({tokens, heads, width}, 1);
  TestTensor lse = make({tokens, heads}, 1);
  auto attention = makeParams<mla_absorbed_attention_params>();
  attention.query = query.get();
  attention.cache_latent = batch.latent.get();
  attention.cache_pe = batch.pe.get();
  attention.page_table = batch.pageTable.get();
  attention.kv_lens = batch.kvLens.get();
  attention.cu_q = batch.cuQ.get();
  attention.sinks = sinks.get();
  attention.indices = indices.get();
  attention.o = latent.get();
  attention.lse = lse.get();
  attention.softmax_scale = softmaxScale;
  EXPECT_EQ(mla_absorbed_attention(ctx, &attention), MLA_STATUS_OK)
      << mla_last_error(ctx);

  TestTensor out = make({tokens, heads, value}, 1);
  auto project = makeParams<mla_project_v_params>();
  project.o_latent = latent.get();
  project.w_uv = &values;
  project.out = out.get();
  EXPECT_EQ(mla_project_v(ctx, &project), MLA_STATUS_OK) << mla_last_error(ctx);
  return {out.array(), lse.array()};
}

reference::State FormsCase::expanded(int64_t start, int64_t length,
                                     const TestTensor &indices,
                                     const TestTensor &sinks) const {
  int64_t tokens = batch.numTokens, rows = batch.numSeqs * length;
  TestTensor latent = make({rows, batch.spec.latentWidth}, 1), kPe;
  if (batch.spec.peWidth > 0)
    kPe = make({rows, batch.spec.peWidth}, 1);
  auto gather = makeParams<mla_gather_kv_params>();
  gather.cache_latent = batch.latent.get();
  gather.cache_pe = batch.pe.get();
  gather.page_table = batch.pageTable.get();
  gather.kv_lens = batch.kvLens.get();
  gather.c_kv = latent.get();
  gather.k_pe = kPe.get();
  gather.window_start = start;
  gather.window_length = length;
  EXPECT_EQ(mla_gather_kv(ctx, &gather), MLA_STATUS_OK) << mla_last_error(ctx);

  TestTensor kv = make({rows, heads, nope + value}, 1);
  auto expand = makeParams<mla_expand_kv_params>();
  expand.c_kv = latent.get();
  expand.w_kv_b = weights.get();
  expand.kv = kv.get();
  EXPECT_EQ(mla_expand_kv(ctx, &expand), MLA_STATUS_OK) << mla_last_error(ctx);

  TestTensor q = make({tokens, heads, nope + batch.spec.peWidth}, 1);
  q.columns(0, nope).assign(qNope.array());
  if (batch.spec.peWidth > 0)
    q.columns(nope, batch.spec.peWidth).assign(qPe.array());
  TestTensor kNope = kv.columns(0, nope), v = kv.columns(nope, value);
  TestTensor o = make({tokens, heads, value}, 1);
  TestTensor lse = make({tokens, heads}, 1);
  auto attention = makeParams<mla_expanded_attention_params>();
  attention.q = q.get();
  attention.k_nope = kNope.get();
  attention.k_pe = kPe.get();
  attention.v = v.get();
  attention.cu_q = batch.cuQ.get();
  attention.kv_lens = batch.kvLens.get();
  attention.sinks = sinks.get();
  attention.indices = indices.get();
  attention.o = o.get();
  attention.lse = lse.get();
  attention.softmax_scale = softmaxScale;
  attention.causal = 1;
  attention.window_start = start;
  attention.window_length = length;
  EXPECT_EQ(mla_expanded_attention(ctx, &attention), MLA_STATUS_OK)
      << mla_last_error(ctx);
  return {o.array(), lse.array()};
}

reference::State
FormsCase::merge(const reference::State &acc,
                 const std::vector<reference::State> &states) const {
  auto count = static_cast<int64_t>(states.size());
  TestTensor o = make({batch.numTokens, heads, value}, 1);
  TestTensor lse = make({batch.numTokens, heads}, 1);
  TestTensor parts = make({count, batch.numTokens, heads, value}, 1);
  TestTensor partLse = make({count, batch.numTokens, heads}, 1);
  o.assign(acc.o);
  lse.assign(acc.lse);
  for (int64_t i = 0; i < count; ++i) {
    parts.slice(i).assign(states[i].o);
    partLse.slice(i).assign(states[i].lse);
  }
  auto params = makeParams<mla_merge_states_params>();
  params.o_states = parts.get();
  params.lse_states = partLse.get();
  params.o = o.get();
  params.lse = lse.get();
  EXPECT_EQ(mla_merge_states(ctx, &params), MLA_STATUS_OK)
      << mla_last_error(ctx);
  return {o.array(), lse.array()};
}

reference::State FormsCase::empty() const {
  return {reference::Array({batch.numTokens, heads, value}),
          reference::Array({batch.numTokens, heads}, none)};
}

reference::State FormsCase::sinkState() const {
  reference::State state = empty();
  auto end = static_cast<int64_t>(batch.cuQ.at({batch.numSeqs}));
  for (int64_t t = 0; t < end; ++t)
    for (int64_t h = 0; h < heads; ++h)
      state.lse.at(t, h) = sinks.at({h});
  return state;
}

std::vector<TestTensor> FormsCase::partition(int64_t parts) {
  std::vector<TestTensor> result;
  for (int64_t i = 0; i < parts; ++i) {
    result.emplace_back(MLA_DTYPE_I32, Shape{batch.numTokens, most},
                        Layout::Gapped, engine);
    result.back().fill(-1);
  }
  // Each token's keys are dealt anew.
  for (int64_t t = 0; t < batch.numTokens; ++t)
    for (int64_t p = 0; p < most; ++p)
      result[engine.integer(0, parts - 1)].set({t, p}, static_cast<double>(p));
  return result;
}

TestTensor FormsCase::someIndices(int64_t count) {
  TestTensor indices(MLA_DTYPE_I32, {batch.numTokens, count}, Layout::Gapped,
                     engine);
  for (int64_t t = 0; t < batch.numTokens; ++t) {
    std::vector<int64_t> chosen = engine.choose(count, most + count);
    for (int64_t i = 0; i < count; ++i)
      indices.set({t, i},
                  engine.chance(0.1) ? -1 : static_cast<double>(chosen[i]));
  }
  return indices;
}
