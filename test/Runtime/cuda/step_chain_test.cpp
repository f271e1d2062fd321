//===- step_chain_test.cpp - Steps of which each needs the one before -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A kernel may be on the GPU before the one ahead of it has ended. Here every
// operation's output is overwritten by a fill before it, weights too: one that
// didn't wait would be overwritten, or would read what the fill wrote. What a
// step ends with, the next one starts with.
//
//===----------------------------------------------------------------------===//

#include "DeviceCopies.h"
#include "StreamContext.h"
#include "TestTensor.h"

using namespace mla;
using namespace mla::test;

namespace {

/// A step with every operation, at so many tokens a sequence.
class StepChain {
public:
  StepChain(uint64_t seed, int64_t tokens);

  /// Enqueues a step; `after` is called behind each operation.
  mla_status enqueue(mla_context *ctx,
                     const std::function<void()> &after = nullptr) const;
  void reset() const {
    copies.setContents(initial);
    copies.upload();
  }
  std::vector<std::vector<uint8_t>> result(mla_context *ctx) const {
    copies.download(ctx);
    return copies.contents();
  }
  int64_t countNaNs() const {
    int64_t count = 0;
    out.forEach([&](const Shape &i) { count += std::isnan(out.at(i)); });
    return count;
  }

private:
  using Call = std::function<mla_status(mla_context *)>;

  template <typename Params>
  void add(mla_status (*function)(mla_context *, const Params *),
           Params params) {
    copies.take(params);
    calls.push_back([=](mla_context *ctx) { return function(ctx, &params); });
  }
  /// Overwrites what the next call writes.
  void spoil(const TestTensor &tensor, double value = 3) {
    auto params = makeParams<mla_fill_params>();
    params.dst = tensor.get();
    params.value = value;
    add(::mla_fill, params);
  }
  void copy(const TestTensor &from, const TestTensor &to) {
    auto params = makeParams<mla_copy_params>();
    params.src = from.get();
    params.dst = to.get();
    spoil(to);
    add(::mla_copy, params);
  }
  void addMapping();
  void addQuery();
  void addAttention();
  void addExpansion();

  TestTensor make(uint32_t dtype, Shape shape, double range = 1) {
    TestTensor tensor(dtype, std::move(shape), Layout::Dense, random);
    if (isFloat(dtype))
      tensor.fillRandom(random, -range, range);
    else
      tensor.fill(0);
    return tensor;
  }

  static const int64_t seqs = 2, heads = 16, nope = 128, peWidth = 64;
  static const int64_t width = 512, pageSize = 16, pages = 24;
  Random random;
  int64_t tokens;
  TestTensor kvLens, cuQ, pageTable, positions, slots, bounds, schedule;
  TestTensor q, peBefore, kv, table, wUk, wUv, wKvB, query, pool;
  std::vector<TestTensor> weights; ///< What wUk, wUv and wKvB get.
  TestTensor o, lse, acc, accLse, latent, out, gathered, expanded;
  DeviceCopies copies;
  std::vector<Call> calls;
  std::vector<std::vector<uint8_t>> initial;
};

StepChain::StepChain(uint64_t seed, int64_t tokensEach)
    : random(seed), tokens(seqs * tokensEach) {
  const uint32_t bf16 = MLA_DTYPE_BF16, i32 = MLA_DTYPE_I32;
  kvLens = TestTensor(i32, {seqs}, {150, 100});
  cuQ = TestTensor(i32, {seqs + 1}, {0, tokensEach, tokens});
  pageTable =
      TestTensor(i32, {seqs, pages / seqs}, random.choose(pages, pages));
  positions = make(i32, {tokens});
  slots = make(MLA_DTYPE_I64, {tokens});
  bounds = make(i32, {tokens});
  schedule = make(i32, {MLA_SCHEDULE_SIZE(seqs)});
  q = make(bf16, {tokens, heads, nope + peWidth});
  peBefore = make(bf16, {tokens, heads, peWidth});
  kv = make(bf16, {tokens, width + peWidth});
  table = make(MLA_DTYPE_F32, {200, peWidth});
  wUk = make(bf16, {heads, nope, width}, 0.1);
  wUv = make(bf16, {heads, nope, width}, 0.1);
  wKvB = make(bf16, {heads, 2 * nope, width}, 0.1);
  for (const TestTensor *weight : {&wUk, &wUv, &wKvB})
    weights.push_back(make(bf16, weight->shape(), 0.1));
  query = make(bf16, {tokens, heads, width + peWidth});
  pool = make(bf16, {pages, pageSize, width + peWidth});
  o = make(bf16, {1, tokens, heads, width});
  lse = make(MLA_DTYPE_F32, {1, tokens, heads});
  acc = make(MLA_DTYPE_F32, {tokens, heads, width});
  accLse = make(MLA_DTYPE_F32, {tokens, heads});
  latent = make(bf16, {tokens, heads, width});
  out = make(bf16, {tokens, heads, nope});
  gathered = make(bf16, {seqs, width});
  expanded = make(bf16, {seqs, heads, 2 * nope});
  addMapping();
  addQuery();
  addAttention();
  addExpansion();
  initial = copies.contents();
}

void StepChain::addMapping() {
  auto mapping = makeParams<mla_slot_mapping_params>();
  mapping.kv_lens = kvLens.get();
  mapping.cu_q = cuQ.get();
  mapping.page_table = pageTable.get();
  mapping.positions = positions.get();
  mapping.slots = slots.get();
  mapping.kv_bounds = bounds.get();
  mapping.page_size = pageSize;
  spoil(slots, -1);
  spoil(bounds, 1);
  spoil(positions, 7);
  add(::mla_slot_mapping, mapping);

  auto split = makeParams<mla_schedule_params>();
  split.kv_lens = kvLens.get();
  split.cu_q = cuQ.get();
  split.schedule = schedule.get();
  split.num_heads = heads;
  split.page_size = pageSize;
  spoil(schedule);
  add(::mla_schedule, split);
}

void StepChain::addQuery() {
  // The last step's outputs are this one's queries.
  TestTensor qNope = q.columns(0, nope), qPe = q.columns(nope, peWidth);
  copy(out, qNope);
  TestTensor absorbed = query.columns(0, width);
  spoil(absorbed);
  // Products read weights before they wait, here behind a rotation: what wrote
  // the weights has ended before that began.
  copy(weights[0], wUk);
  auto rope = makeParams<mla_rope_params>();
  rope.x = peBefore.get();
  rope.y = qPe.get();
  rope.cos_sin = table.get();
  rope.positions = positions.get();
  rope.rope_style = MLA_ROPE_HALF;
  add(::mla_rope, rope);

  auto absorb = makeParams<mla_absorb_q_params>();
  absorb.q_nope = qNope.get();
  absorb.w_uk = wUk.get();
  absorb.query = absorbed.get();
  add(::mla_absorb_q, absorb);

  TestTensor cKv = kv.columns(0, width), kPe = kv.columns(width, peWidth);
  TestTensor latents = pool.columns(0, width),
             keys = pool.columns(width, peWidth);
  auto append = makeParams<mla_append_params>();
  append.c_kv = cKv.get();
  append.k_pe = kPe.get();
  append.q_pe = qPe.get();
  append.slots = slots.get();
  append.cos_sin = table.get();
  append.positions = positions.get();
  append.query = query.get();
  append.cache_latent = latents.get();
  append.cache_pe = keys.get();
  append.rope_style = MLA_ROPE_INTERLEAVED;
  append.rope_head_dim = peWidth;
  spoil(query.columns(width, peWidth));
  add(::mla_append, append);
}

void StepChain::addAttention() {
  TestTensor latents = pool.columns(0, width),
             keys = pool.columns(width, peWidth);
  TestTensor state = o.slice(0), stateLse = lse.slice(0);
  auto attention = makeParams<mla_absorbed_attention_params>();
  attention.query = query.get();
  attention.cache_latent = latents.get();
  attention.cache_pe = keys.get();
  attention.page_table = pageTable.get();
  attention.kv_lens = kvLens.get();
  attention.cu_q = cuQ.get();
  attention.kv_bounds = bounds.get();
  attention.schedule = schedule.get();
  attention.o = state.get();
  attention.lse = stateLse.get();
  attention.softmax_scale = 0.1;
  spoil(state);
  spoil(stateLse);
  add(::mla_absorbed_attention, attention);

  auto merge = makeParams<mla_merge_states_params>();
  merge.o_states = o.get();
  merge.lse_states = lse.get();
  merge.o = acc.get();
  merge.lse = accLse.get();
  spoil(acc, 0.5);
  spoil(accLse, 0);
  add(::mla_merge_states, merge);
  copy(acc, latent);

  auto project = makeParams<mla_project_v_params>();
  project.o_latent = latent.get();
  project.w_uv = wUv.get();
  project.out = out.get();
  spoil(out);
  copy(weights[1], wUv); // right in front
  add(::mla_project_v, project);
}

void StepChain::addExpansion() {
  TestTensor latents = pool.columns(0, width);
  auto gather = makeParams<mla_gather_kv_params>();
  gather.cache_latent = latents.get();
  gather.page_table = pageTable.get();
  gather.kv_lens = kvLens.get();
  gather.c_kv = gathered.get();
  gather.window_start = 99;
  gather.window_length = 1;
  spoil(gathered);
  spoil(expanded);
  copy(weights[2], wKvB);
  add(::mla_gather_kv, gather);

  auto expand = makeParams<mla_expand_kv_params>();
  expand.c_kv = gathered.get();
  expand.w_kv_b = wKvB.get();
  expand.kv = expanded.get();
  add(::mla_expand_kv, expand);
  // And what is gathered next depends on what was expanded.
  copy(expanded.rows(0, 1).columns(0, nope),
       out.rows(tokens - 1, 1).columns(0, nope));
}

mla_status StepChain::enqueue(mla_context *ctx,
                              const std::function<void()> &after) const {
  for (const Call &call : calls) {
    if (mla_status status = call(ctx))
      return status;
    if (after)
      after();
  }
  return MLA_STATUS_OK;
}

TEST(CudaStepChainTest, StepsInARowAreStepsThatWaitForEveryKernel) {
  const int64_t steps = 12;
  for (int64_t tokensEach : {1, 8, 40}) {
    SCOPED_TRACE(std::to_string(tokensEach) + " tokens a sequence");
    StreamContext on;
    StepChain chain(1, tokensEach);
    auto enqueueAll = [&](const std::function<void()> &after) {
      chain.reset();
      for (int64_t i = 0; i < steps; ++i)
        ASSERT_EQ(chain.enqueue(on.ctx, after), MLA_STATUS_OK)
            << on.ctx.error();
    };
    auto wait = [&] { expectCuda(cudaStreamSynchronize(on.stream)); };
    enqueueAll(wait);
    const auto expected = chain.result(on.ctx);
    EXPECT_EQ(chain.countNaNs(), 0);
    enqueueAll(nullptr);
    EXPECT_TRUE(chain.result(on.ctx) == expected);

    CapturedGraph graph(on, [&] { return chain.enqueue(on.ctx); });
    ASSERT_TRUE(graph);
    chain.reset();
    for (int64_t i = 0; i < steps; ++i)
      graph.replay();
    EXPECT_TRUE(chain.result(on.ctx) == expected);
    // One step more is another result: each depends on the one before.
    graph.replay();
    EXPECT_FALSE(chain.result(on.ctx) == expected);
    EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  }
}

} // namespace
