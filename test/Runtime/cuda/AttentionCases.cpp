//===- AttentionCases.cpp - Calls of the attentions, in their forms -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"
#include "OpCase.h"

using namespace mla;
using namespace mla::test;

namespace {

/// A call and the lengths that its pages have room for.
struct Step : AttentionCase {
  Step(Random &random, const CacheSpec &spec,
       const std::vector<int64_t> &lengths, const std::vector<int64_t> &added,
       int64_t padding, int64_t heads, uint32_t dtype, uint32_t out)
      : AttentionCase(random, PagedBatch(random, spec, lengths, added, padding),
                      heads, dtype, out),
        most(lengths) {}

  std::vector<int64_t> most;
};

/// The rows that are held, anew; NaN in all others.
void refillCache(const PagedBatch &batch, Random &random) {
  const CachePool &cache = batch.cache;
  for (const TestTensor *part : {&cache.latent, &cache.pe, &cache.scales}) {
    if (!*part)
      continue;
    part->fill(std::nan(""));
    bool isScale = part == &cache.scales;
    for (int64_t b = 0; b < batch.numSeqs; ++b)
      for (int64_t p = 0; p < batch.kvLens.at({b}); ++p) {
        auto page = static_cast<int64_t>(
            batch.pageTable.at({b, p / batch.spec.pageSize}));
        TestTensor row = part->slice(page).slice(p % batch.spec.pageSize);
        if (isScale)
          row.fill(std::ldexp(1, static_cast<int>(random.integer(-3, 3))));
        else
          row.fillRandom(random);
      }
  }
}

/// Other lengths, new tokens, padding and pages.
void changeStep(Step &c, Random &random) {
  const PagedBatch &batch = c.batch;
  int64_t next = 0;
  for (int64_t b = 0; b < batch.numSeqs; ++b) {
    int64_t length = random.integer(0, c.most[b]);
    batch.kvLens.set({b}, static_cast<double>(length));
    batch.cuQ.set({b}, static_cast<double>(next));
    next += random.integer(0, std::min(length, batch.numTokens - next));
    int64_t other = random.integer(0, batch.numSeqs - 1);
    if (c.most[b] == 0 || c.most[other] == 0)
      continue;
    double page = batch.pageTable.at({b, 0});
    batch.pageTable.set({b, 0}, batch.pageTable.at({other, 0}));
    batch.pageTable.set({other, 0}, page);
  }
  batch.cuQ.set({batch.numSeqs}, static_cast<double>(next));
  refillCache(batch, random);
  c.query.fillRandom(random, -3, 3);
  if (c.sinks)
    c.sinks.fillRandom(random, -1, 4);
  if (c.indices)
    c.indices.forEach([&](const Shape &index) {
      // Unique in its row.
      c.indices.set(index,
                    static_cast<double>(index[1] * 3 + random.integer(-1, 1)));
    });
  if (c.bounds)
    for (int64_t b = 0; b < batch.numSeqs; ++b)
      for (auto t = static_cast<int64_t>(batch.cuQ.at({b}));
           t < batch.cuQ.at({b + 1}); ++t)
        c.bounds.set({t}, static_cast<double>(random.integer(
                              0, static_cast<int64_t>(batch.kvLens.at({b})))));
}

CacheSpec specOf(uint32_t latent, uint32_t pe, bool blockScales = false) {
  CacheSpec spec;
  spec.latentDtype = latent;
  spec.peDtype = pe;
  spec.blockScales = blockScales;
  spec.latentScale = 0.5;
  spec.peScale = 2;
  return spec;
}

void addAbsorbed(OpCases &cases, const char *name, std::shared_ptr<Step> c) {
  cases.push_back(makeOpCase<mla_absorbed_attention_params, Step>(
      std::string("absorbed_attention ") + name, c->params(),
      ::mla_absorbed_attention, c, {c->o, c->lse}, changeStep));
}

void addAbsorbedForms(OpCases &cases, Random &random) {
  auto make = [&](const CacheSpec &spec, std::vector<int64_t> lengths,
                  std::vector<int64_t> added, int64_t heads, uint32_t dtype) {
    return std::make_shared<Step>(
        random, spec, lengths, added, 2, heads, dtype,
        dtype == MLA_DTYPE_F8E4M3FN ? uint32_t{MLA_DTYPE_BF16} : dtype);
  };
  CacheSpec f32 = specOf(MLA_DTYPE_F32, MLA_DTYPE_F32);
  CacheSpec bf16 = specOf(MLA_DTYPE_BF16, MLA_DTYPE_BF16);
  CacheSpec fp8 = specOf(MLA_DTYPE_F8E4M3FN, MLA_DTYPE_F8E4M3FN);
  CacheSpec blocks = specOf(MLA_DTYPE_F8E4M3FN, MLA_DTYPE_BF16, true);
  addAbsorbed(cases, "f32", make(f32, {40, 0, 9}, {2, 0, 1}, 3, MLA_DTYPE_F32));
  addAbsorbed(cases, "bf16",
              make(bf16, {700, 33, 1}, {1, 1, 1}, 16, MLA_DTYPE_BF16));
  addAbsorbed(cases, "of many tokens",
              make(bf16, {90, 30}, {90, 7}, 8, MLA_DTYPE_BF16));
  auto rich = make(bf16, {200, 60}, {2, 3}, 128, MLA_DTYPE_BF16);
  rich->addSinks(random);
  rich->addBounds(random);
  addAbsorbed(cases, "with sinks and bounds", rich);
  auto chosen = make(bf16, {200, 60}, {2, 3}, 16, MLA_DTYPE_BF16);
  chosen->addIndices(random, 30, 200);
  addAbsorbed(cases, "of chosen keys", chosen);
  auto quantized = make(fp8, {300, 20}, {1, 1}, 16, MLA_DTYPE_F8E4M3FN);
  quantized->queryScale = makeScalar(1.5);
  addAbsorbed(cases, "fp8", quantized);
  addAbsorbed(cases, "of block scales",
              make(blocks, {300, 20}, {1, 1}, 16, MLA_DTYPE_BF16));
}

/// The schedule, and the attention that follows it.
void addScheduled(OpCases &cases, Random &random) {
  auto c = std::make_shared<Step>(
      random, specOf(MLA_DTYPE_BF16, MLA_DTYPE_BF16),
      std::vector<int64_t>{2500, 40, 600}, std::vector<int64_t>{1, 1, 2}, 1, 16,
      MLA_DTYPE_BF16, MLA_DTYPE_BF16);
  c->schedule =
      TestTensor(MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(3)}, Layout::Dense, random);
  auto params = makeParams<mla_schedule_params>();
  params.kv_lens = c->batch.kvLens.get();
  params.cu_q = c->batch.cuQ.get();
  params.schedule = c->schedule.get();
  params.num_heads = c->heads;
  params.page_size = c->batch.spec.pageSize;
  auto result = makeOpCase<mla_absorbed_attention_params, Step>(
      "schedule and absorbed_attention", c->params(), ::mla_absorbed_attention,
      c, {c->o, c->lse}, changeStep);
  result->copies.take(params);
  result->call = [params, attend = result->call](mla_context *ctx) {
    mla_status status = mla_schedule(ctx, &params);
    return status == MLA_STATUS_OK ? attend(ctx) : status;
  };
  cases.push_back(std::move(result));
}

void addGathered(OpCases &cases, Random &random, const char *name,
                 const CacheSpec &spec, uint32_t out) {
  auto c = std::make_shared<Step>(random, spec, std::vector<int64_t>{40, 0, 25},
                                  std::vector<int64_t>{1, 0, 1}, 0, 1,
                                  MLA_DTYPE_BF16, MLA_DTYPE_BF16);
  const int64_t length = 30;
  TestTensor cKv(out, {3 * length, spec.latentWidth}, Layout::Gapped, random);
  TestTensor kPe(out, {3 * length, spec.peWidth}, Layout::Gapped, random);
  auto params = makeParams<mla_gather_kv_params>();
  c->batch.cache.set(params);
  params.page_table = c->batch.pageTable.get();
  params.kv_lens = c->batch.kvLens.get();
  params.c_kv = cKv.get();
  params.k_pe = kPe.get();
  params.window_start = 5;
  params.window_length = length;
  cases.push_back(makeOpCase<mla_gather_kv_params, Step>(
      name, params, ::mla_gather_kv, c, {cKv, kPe}, changeStep));
}

/// Rows of keys and values that were rebuilt.
struct Expanded {
  TestTensor q, kv, kPe, cuQ, cuK, kvLens, o, lse;
};

void addExpanded(OpCases &cases, Random &random, const char *name,
                 uint32_t dtype, int64_t heads, int64_t nope, int64_t peWidth,
                 int64_t value, int64_t window) {
  const int64_t tokens = 70, keys = 60;
  auto c = std::make_shared<Expanded>();
  auto make = [&](Shape shape) {
    TestTensor tensor(dtype, std::move(shape), Layout::Gapped, random);
    tensor.fillRandom(random);
    return tensor;
  };
  int64_t rows = window ? 2 * window : 2 * keys;
  c->q = make({tokens, heads, nope + peWidth});
  c->kv = make({rows, heads, nope + value});
  if (peWidth > 0)
    c->kPe = make({rows, peWidth});
  c->o = make({tokens, heads, value});
  c->lse = TestTensor(MLA_DTYPE_F32, {tokens, heads}, Layout::Gapped, random);
  c->cuQ = TestTensor(MLA_DTYPE_I32, {3}, {0, 50, 65});
  if (window)
    c->kvLens = TestTensor(MLA_DTYPE_I32, {2}, {keys, keys});
  else
    c->cuK = TestTensor(MLA_DTYPE_I32, {3}, {0, keys, 2 * keys});
  TestTensor kNope = c->kv.columns(0, nope), v = c->kv.columns(nope, value);
  auto params = makeParams<mla_expanded_attention_params>();
  params.q = c->q.get();
  params.k_nope = kNope.get();
  params.k_pe = c->kPe.get();
  params.v = v.get();
  params.cu_q = c->cuQ.get();
  params.cu_k = c->cuK.get();
  params.kv_lens = c->kvLens.get();
  params.o = c->o.get();
  params.lse = c->lse.get();
  params.softmax_scale = 0.1;
  params.causal = 1;
  params.window_start = window ? 10 : 0;
  params.window_length = window;
  auto change = [](Expanded &c, Random &random) {
    int64_t first = random.integer(0, 50), second = random.integer(0, 20);
    int64_t one = random.integer(first, 60), two = random.integer(second, 60);
    c.cuQ.set({1}, static_cast<double>(first));
    c.cuQ.set({2}, static_cast<double>(first + second));
    if (c.cuK) {
      c.cuK.set({1}, static_cast<double>(one));
      c.cuK.set({2}, static_cast<double>(one + two));
    } else {
      c.kvLens.set({0}, static_cast<double>(one));
      c.kvLens.set({1}, static_cast<double>(two));
    }
    for (const TestTensor *tensor : {&c.q, &c.kv, &c.kPe})
      if (*tensor)
        tensor->fillRandom(random);
  };
  cases.push_back(makeOpCase<mla_expanded_attention_params, Expanded>(
      std::string("expanded_attention ") + name, params,
      ::mla_expanded_attention, c, {c->o, c->lse}, change));
}

} // namespace

OpCases mla::test::attentionCases(uint64_t seed) {
  Random random(seed);
  OpCases cases;
  addAbsorbedForms(cases, random);
  addScheduled(cases, random);
  addGathered(cases, random, "gather_kv bf16",
              specOf(MLA_DTYPE_BF16, MLA_DTYPE_BF16), MLA_DTYPE_BF16);
  addGathered(cases, random, "gather_kv of block scales",
              specOf(MLA_DTYPE_F8E4M3FN, MLA_DTYPE_BF16, true), MLA_DTYPE_F32);
  addExpanded(cases, random, "f32", MLA_DTYPE_F32, 3, 32, 16, 24, 0);
  addExpanded(cases, random, "bf16", MLA_DTYPE_BF16, 8, 128, 64, 128, 0);
  addExpanded(cases, random, "of a window", MLA_DTYPE_BF16, 4, 128, 0, 128, 40);
  return cases;
}
