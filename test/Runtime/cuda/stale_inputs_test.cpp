//===- stale_inputs_test.cpp - Captured steps over bad device data --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A step is captured and replayed over numbers that no caller should leave in
// the buffers. The cache lies in the middle of a larger pool, so that a write
// that misses it is seen.
//
//===----------------------------------------------------------------------===//

#include "CachePool.h"
#include "DeviceCopies.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

const int64_t seqs = 3, tokens = 8, heads = 16, width = 128, peWidth = 64;
const int64_t pageSize = 8, pages = 20, pagesEach = 5;
const int64_t rows = pages * pageSize, maxPos = 50, window = 20;

class CudaStaleInputsTest : public testing::Test {
protected:
  CudaStaleInputsTest() {
    kvLens = TestTensor(MLA_DTYPE_I32, {seqs}, {30, 9, 17});
    cuQ = TestTensor(MLA_DTYPE_I32, {seqs + 1}, {0, 4, 5, 7});
    pageTable = TestTensor(MLA_DTYPE_I32, {seqs, pagesEach},
                           random.choose(seqs * pagesEach, pages));
    slots = TestTensor(MLA_DTYPE_I64, {tokens}, random.choose(tokens, rows));
    positions =
        TestTensor(MLA_DTYPE_I32, {tokens}, random.choose(tokens, maxPos));
    bounds = make(MLA_DTYPE_I32, {tokens});
    schedule = make(MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(seqs)});
    kv = make(MLA_DTYPE_BF16, {tokens, width + peWidth});
    q = make(MLA_DTYPE_BF16, {tokens, heads, width + peWidth});
    table = make(MLA_DTYPE_F32, {maxPos, peWidth});
    for (const TestTensor *tensor : {&kv, &q, &table})
      tensor->fillRandom(random);
    query = make(MLA_DTYPE_BF16, {tokens, heads, width + peWidth});
    o = make(MLA_DTYPE_BF16, {tokens, heads, width});
    lse = make(MLA_DTYPE_F32, {tokens, heads});
    gathered = make(MLA_DTYPE_BF16, {seqs * window, width});
    pool = make(MLA_DTYPE_BF16, {3 * pages, pageSize, width + peWidth});
    cache = pool.rows(pages, pages);
    cache.fillRandom(random);
    makeParameters();
  }

  TestTensor make(uint32_t dtype, Shape shape) {
    return TestTensor(dtype, std::move(shape), Layout::Dense, random);
  }

  void makeParameters() {
    TestTensor latent = cache.columns(0, width),
               pe = cache.columns(width, peWidth);
    TestTensor cKv = kv.columns(0, width), kPe = kv.columns(width, peWidth);
    TestTensor qNope = q.columns(0, width), qPe = q.columns(width, peWidth);
    mapping.kv_lens = kvLens.get();
    mapping.cu_q = cuQ.get();
    mapping.page_table = pageTable.get();
    mapping.positions = positions.get();
    mapping.slots = slots.get();
    mapping.kv_bounds = bounds.get();
    mapping.page_size = pageSize;
    append.c_kv = cKv.get();
    append.k_pe = kPe.get();
    append.q_nope = qNope.get();
    append.q_pe = qPe.get();
    append.slots = slots.get();
    append.cos_sin = table.get();
    append.positions = positions.get();
    append.cu_q = cuQ.get();
    append.query = query.get();
    append.cache_latent = latent.get();
    append.cache_pe = pe.get();
    append.rope_style = MLA_ROPE_INTERLEAVED;
    append.rope_head_dim = peWidth;
    split.kv_lens = kvLens.get();
    split.cu_q = cuQ.get();
    split.schedule = schedule.get();
    split.num_heads = heads;
    split.page_size = pageSize;
    attention.query = query.get();
    attention.cache_latent = latent.get();
    attention.cache_pe = pe.get();
    attention.page_table = pageTable.get();
    attention.kv_lens = kvLens.get();
    attention.cu_q = cuQ.get();
    attention.kv_bounds = bounds.get();
    attention.schedule = schedule.get();
    attention.o = o.get();
    attention.lse = lse.get();
    attention.softmax_scale = 0.1;
    gather.cache_latent = latent.get();
    gather.page_table = pageTable.get();
    gather.kv_lens = kvLens.get();
    gather.c_kv = gathered.get();
    gather.window_length = window;
    copies.take(mapping);
    copies.take(append);
    copies.take(split);
    copies.take(attention);
    copies.take(gather);
  }

  /// Where the cache alone is read, and its rows alone come from the pool.
  mla_status attend() {
    mla_status status = mla_absorbed_attention(raw(), &attention);
    return status == MLA_STATUS_OK ? mla_gather_kv(raw(), &gather) : status;
  }
  mla_status step() {
    mla_status status = mla_slot_mapping(raw(), &mapping);
    if (status == MLA_STATUS_OK)
      status = mla_append(raw(), &append);
    if (status == MLA_STATUS_OK)
      status = mla_schedule(raw(), &split);
    return status == MLA_STATUS_OK ? attend() : status;
  }
  mla_context *raw() { return on.ctx; }

  /// Puts numbers that make no sense, or just beyond sense, into some elements.
  void poison(const TestTensor &tensor) {
    tensor.forEach([&](const Shape &index) {
      if (random.chance(0.5))
        return;
      int64_t value = random.pick<int64_t>({-1,
                                            -2,
                                            0,
                                            1,
                                            6,
                                            8,
                                            9,
                                            pages - 1,
                                            pages,
                                            pages + 1,
                                            rows - 1,
                                            rows,
                                            rows + 1,
                                            3 * rows,
                                            INT32_MAX,
                                            INT32_MIN,
                                            INT64_MAX,
                                            INT64_MIN,
                                            int64_t{1} << 40,
                                            random.integer(-100000, 100000)});
      auto narrow = static_cast<int32_t>(value);
      if (tensor.dtype() == MLA_DTYPE_I64)
        std::memcpy(tensor.address(index), &value, sizeof(value));
      else
        std::memcpy(tensor.address(index), &narrow, sizeof(narrow));
    });
  }

  /// Replays over poisoned `inputs`; only the cache and what is an output may
  /// change, and the next sound replay is right.
  void replayPoisoned(const CapturedGraph &graph,
                      const std::vector<TestTensor> &inputs,
                      const std::vector<TestTensor> &outputs) {
    const auto good = copies.contents();
    copies.upload();
    graph.replay();
    copies.download(raw());
    ASSERT_EQ(mla_context_check(raw()), MLA_STATUS_OK) << on.ctx.error();
    const auto right = copies.contents();
    int faults = 0;
    for (int round = 0; round < 100; ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      copies.setContents(good);
      poison(
          inputs[random.integer(0, static_cast<int64_t>(inputs.size()) - 1)]);
      if (random.chance(0.5))
        for (const TestTensor &input : inputs)
          poison(input);
      std::vector<Canary> canaries;
      for (const TestTensor *tensor :
           {&kvLens, &cuQ, &pageTable, &slots, &positions, &bounds, &schedule,
            &kv, &q, &table, &query, &o, &lse, &gathered, &pool}) {
        canaries.emplace_back(*tensor);
        for (const TestTensor &output : outputs)
          canaries.back().allow(output);
      }
      copies.upload();
      graph.replay();
      copies.download(raw());
      for (const Canary &canary : canaries)
        EXPECT_EQ(canary.damage(), 0);
      mla_status status = mla_context_check(raw());
      EXPECT_TRUE(status == MLA_STATUS_OK || status == MLA_STATUS_DATA_ERROR)
          << on.ctx.error();
      faults += status == MLA_STATUS_DATA_ERROR;
      if (HasFailure())
        return;
    }
    EXPECT_GT(faults, 50);
    copies.setContents(good);
    copies.upload();
    graph.replay();
    copies.download(raw());
    EXPECT_TRUE(copies.contents() == right);
    EXPECT_EQ(mla_context_check(raw()), MLA_STATUS_OK) << on.ctx.error();
  }

  Random random{1};
  StreamContext on;
  TestTensor kvLens, cuQ, pageTable, slots, positions, bounds, schedule, kv, q,
      table, query, o, lse, gathered, pool, cache;
  mla_slot_mapping_params mapping = makeParams<mla_slot_mapping_params>();
  mla_append_params append = makeParams<mla_append_params>();
  mla_schedule_params split = makeParams<mla_schedule_params>();
  mla_absorbed_attention_params attention =
      makeParams<mla_absorbed_attention_params>();
  mla_gather_kv_params gather = makeParams<mla_gather_kv_params>();
  DeviceCopies copies;
};

TEST_F(CudaStaleInputsTest, AStepWritesItsCacheAlone) {
  CapturedGraph graph(on, [&] { return step(); });
  ASSERT_TRUE(graph);
  replayPoisoned(
      graph, {kvLens, cuQ, pageTable},
      {positions, slots, bounds, schedule, query, o, lse, gathered, cache});
}

TEST_F(CudaStaleInputsTest, AppendFollowsNoBadSlotOrPosition) {
  CapturedGraph graph(on, [&] { return mla_append(raw(), &append); });
  ASSERT_TRUE(graph);
  replayPoisoned(graph, {slots, positions, cuQ}, {query, cache});
}

TEST_F(CudaStaleInputsTest, AttentionFollowsNoBadPageBoundOrSchedule) {
  // Sound ones first.
  copies.upload();
  ASSERT_EQ(step(), MLA_STATUS_OK) << on.ctx.error();
  copies.download(raw());
  CapturedGraph graph(on, [&] { return attend(); });
  ASSERT_TRUE(graph);
  replayPoisoned(graph, {kvLens, cuQ, pageTable, bounds, schedule},
                 {o, lse, gathered});
}

TEST_F(CudaStaleInputsTest, TheCanariesSeeAWriteBesideTheCache) {
  // The same append, told of a cache one page further.
  mla_tensor latent = *append.cache_latent, pe = *append.cache_pe;
  for (mla_tensor *part : {&latent, &pe})
    part->byte_offset += static_cast<uint64_t>(part->strides[0]) * 2;
  append.cache_latent = &latent;
  append.cache_pe = &pe;
  slots.fill(static_cast<double>(rows - 1));
  Canary canary(pool);
  canary.allow(cache);
  copies.upload();
  ASSERT_EQ(mla_append(raw(), &append), MLA_STATUS_OK) << on.ctx.error();
  copies.download(raw());
  EXPECT_GT(canary.damage(), 0);
}

} // namespace
