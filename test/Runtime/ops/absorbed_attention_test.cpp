//===- absorbed_attention_test.cpp - mla_absorbed_attention ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"
#include "reference/merge_states.h"
#include "reference/schedule.h"

using namespace mla;
using namespace mla::test;

namespace {

class AbsorbedAttentionTest : public OpTest {
protected:
  void run(const AttentionCase &c) {
    mla_absorbed_attention_params params = c.params();
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
  }

  void compare(const AttentionCase &c) {
    Canary o(c.o), lse(c.lse), cache(c.batch.cache.latent);
    o.allow(c.o);
    lse.allow(c.lse);
    run(c);
    EXPECT_EQ(o.damage() + lse.damage() + cache.damage(), 0);
    reference::State expected = c.formula().compute();
    EXPECT_LE(relativeError(c.o.array(), expected.o),
              attentionTolerance(c.query.dtype(), c.o.dtype()));
    EXPECT_LE(relativeError(c.lse.array(), expected.lse), 1e-5);
  }

  static std::string describe(uint64_t seed, const AttentionCase &c) {
    return "seed " + std::to_string(seed) + ": query " + c.query.describe() +
           ", latent " + c.batch.cache.latent.describe() + ", sequences " +
           std::to_string(c.batch.numSeqs) + (c.sinks ? ", sinks" : "") +
           (c.indices ? ", indices" : "") + (c.bounds ? ", kv_bounds" : "");
  }
};

TEST_F(AbsorbedAttentionTest, RaggedBatches) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    Random random(seed);
    uint32_t dtype =
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    CacheSpec spec = randomCacheSpec(random, dtype);
    if (random.chance(0.2))
      spec.peDtype = MLA_DTYPE_BF16;
    int64_t most = random.pick<int64_t>({3, 40, 150});
    PagedBatch batch = randomBatch(random, spec, random.integer(0, 4), most,
                                   random.integer(0, 9));
    AttentionCase c(random, batch, random.pick<int64_t>({1, 2, 3, 8}), dtype,
                    random.chance(0.5) ? dtype : uint32_t{MLA_DTYPE_F32});
    if (random.chance(0.3))
      c.addSinks(random);
    if (random.chance(0.3))
      c.addIndices(random, random.integer(1, 80), most);
    if (random.chance(0.3))
      c.addBounds(random);
    SCOPED_TRACE(describe(seed, c));
    compare(c);
    if (HasFailure())
      return;
  }
}

TEST_F(AbsorbedAttentionTest, ManyHeads) {
  for (int64_t heads : {16, 20, 32, 40, 64, 96, 128}) {
    Random random(heads);
    CacheSpec spec;
    AttentionCase c(random, PagedBatch(random, spec, {70, 5}, {2, 1}, 1), heads,
                    MLA_DTYPE_F32, MLA_DTYPE_F32);
    SCOPED_TRACE(describe(heads, c));
    compare(c);
  }
}

TEST_F(AbsorbedAttentionTest, PrefillOfARealSize) {
  Random random(1);
  CacheSpec spec;
  spec.latentDtype = spec.peDtype = MLA_DTYPE_BF16;
  AttentionCase c(random, PagedBatch(random, spec, {37}, {37}, 0), 128,
                  MLA_DTYPE_BF16, MLA_DTYPE_BF16);
  compare(c);
}

TEST_F(AbsorbedAttentionTest, TheComparisonSeesEachFault) {
  Random random(2);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {60, 33}, {4, 2}, 0), 3,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  run(c);
  auto error = [&](const reference::AbsorbedAttention &formula) {
    return relativeError(c.o.array(), formula.compute().o);
  };
  reference::AbsorbedAttention right = c.formula(), wrong = right;
  EXPECT_LE(error(right), 1e-5);
  wrong.softmaxScale *= 1.05; // L + R in the scale, a missing mscale
  EXPECT_GT(error(wrong), 1e-4);
  wrong = right; // the causal bound one too small
  wrong.kvBounds = reference::Array({6});
  for (int64_t t = 0; t < 6; ++t)
    wrong.kvBounds.at(t) = t < 4 ? 56 + t : 31 + t - 4;
  EXPECT_GT(error(wrong), 1e-4);
  wrong.kvBounds.data = {57, 58, 59, 60, 32, 33}; // as it is right
  EXPECT_LE(error(wrong), 1e-5);
  wrong = right; // the pages of two sequences exchanged
  std::swap(wrong.pageTable.at(0, 0), wrong.pageTable.at(1, 0));
  EXPECT_GT(error(wrong), 1e-4);
  wrong = right; // the positional part left out
  for (double &value : wrong.pe.data)
    value = 0;
  EXPECT_GT(error(wrong), 1e-4);
  reference::Array lse = right.compute().lse; // base 2 in the lse
  for (double &value : lse.data)
    value *= std::log2(std::exp(1.0));
  EXPECT_GT(relativeError(c.lse.array(), lse), 1e-2);
}

TEST_F(AbsorbedAttentionTest, ASinkIsAStateWithoutAValue) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Random random(seed);
    CacheSpec spec = randomCacheSpec(random, MLA_DTYPE_F32);
    // The second sequence has no key, the third no new token.
    AttentionCase c(random,
                    PagedBatch(random, spec, {30, 0, 9, 3}, {3, 0, 0, 3}, 2), 4,
                    MLA_DTYPE_F32, MLA_DTYPE_F32);
    if (seed % 2)
      c.addIndices(random, 7, 30);
    run(c);
    reference::State without{c.o.array(), c.lse.array()};
    c.addSinks(random);
    run(c);
    reference::State sink{reference::Array({1, 8, 4, spec.latentWidth}),
                          reference::Array({1, 8, 4})};
    for (int64_t t = 0; t < 8; ++t)
      for (int64_t h = 0; h < 4; ++h)
        // Padding has no sink either.
        sink.lse.at(0, t, h) =
            t < 6 ? c.sinks.at({h}) : -std::numeric_limits<double>::infinity();
    reference::State merged = without;
    reference::mergeStates(sink, merged);
    EXPECT_LE(relativeError(c.o.array(), merged.o), 1e-5);
    EXPECT_LE(relativeError(c.lse.array(), merged.lse), 1e-5);
    reference::mergeStates(sink, merged); // counted twice
    EXPECT_GT(relativeError(c.o.array(), merged.o), 1e-3);
  }
}

TEST_F(AbsorbedAttentionTest, WithoutAVisibleKeyNothingIsAdded) {
  Random random(3);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {20}, {3}, 2), 2,
                  MLA_DTYPE_BF16, MLA_DTYPE_BF16);
  c.indices =
      TestTensor(MLA_DTYPE_I32, {5, 3},
                 {-1, -1, -1, 18, 19, 20, 5, -7, 1000, 1, 2, 3, 1, 2, 3});
  compare(c);
  const double none = -std::numeric_limits<double>::infinity();
  for (int64_t t : {0, 3, 4}) // no index; padding
    for (int64_t h = 0; h < 2; ++h) {
      EXPECT_EQ(c.lse.at({t, h}), none);
      EXPECT_EQ(c.o.at({t, h, 77}), 0);
    }
  EXPECT_NE(c.lse.at({1, 0}), none); // index 18 alone: 19 is acausal
  EXPECT_NE(c.lse.at({2, 0}), none);
  c.addSinks(random);
  compare(c);
  EXPECT_EQ(c.lse.at({0, 1}), c.sinks.at({1}));
  EXPECT_EQ(c.o.at({0, 1, 77}), 0);
  EXPECT_EQ(c.lse.at({3, 1}), none);
}

TEST_F(AbsorbedAttentionTest, ANanIsSeenOnlyByThoseWhoSeeItsKey) {
  Random random(4);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {50}, {3}, 0), 2,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  auto page = static_cast<int64_t>(c.batch.pageTable.at({0, 3}));
  // Key 48, the second token's.
  c.batch.cache.latent.set({page, 0, 5}, std::nan(""));
  run(c);
  EXPECT_FALSE(std::isnan(c.o.at({0, 0, 0})));
  EXPECT_FALSE(std::isnan(c.o.at({0, 1, 5})));
  EXPECT_TRUE(std::isnan(c.o.at({1, 0, 5})));
  EXPECT_TRUE(std::isnan(c.lse.at({2, 1})));
}

TEST_F(AbsorbedAttentionTest, LargeLogitsDontOverflow) {
  Random random(5);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {130}, {2}, 0), 2,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  // Logits far beyond what exp can take, spread too little for one key to win.
  c.batch.cache.latent.columns(0, 1).forEach([&](const Shape &index) {
    TestTensor column = c.batch.cache.latent.columns(0, 1);
    if (!std::isnan(column.at(index)))
      column.set(index, 1);
  });
  c.query.columns(0, 1).fill(1024);
  c.scale = 0.25;
  c.query.columns(1, 575).fillRandom(random, -0.1, 0.1);
  run(c);
  reference::State expected = c.formula().compute();
  EXPECT_GT(expected.lse.at(0, 0), 250);
  // A logit of 256 has an ulp of 3e-5: the weights can't be better than that.
  EXPECT_LE(relativeError(c.o.array(), expected.o), 1e-4);
  EXPECT_LE(relativeError(c.lse.array(), expected.lse), 1e-5);
}

TEST_F(AbsorbedAttentionTest, WithoutLse) {
  Random random(6);
  CacheSpec spec;
  spec.peWidth = 0;
  AttentionCase c(random, PagedBatch(random, spec, {20, 3}, {1, 1}, 0), 2,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  c.lse = TestTensor();
  run(c);
  EXPECT_LE(relativeError(c.o.array(), c.formula().compute().o), 1e-5);
}

TEST_F(AbsorbedAttentionTest, AScheduleChangesNothing) {
  Random random(7);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {40, 9}, {2, 1}, 1), 3,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  run(c);
  std::vector<double> without = c.o.array().data;
  c.schedule = TestTensor(MLA_DTYPE_I32, {reference::scheduleSize(2)},
                          Layout::Dense, random);
  auto params = makeParams<mla_schedule_params>();
  params.kv_lens = c.batch.kvLens.get();
  params.cu_q = c.batch.cuQ.get();
  params.schedule = c.schedule.get();
  params.num_heads = 3;
  params.page_size = spec.pageSize;
  ASSERT_EQ(mla_schedule(ctx, &params), MLA_STATUS_OK) << ctx.error();
  c.o.fill(0);
  run(c);
  EXPECT_EQ(c.o.array().data, without);
  // One made for other heads is reported, not used.
  params.num_heads = 4;
  ASSERT_EQ(mla_schedule(ctx, &params), MLA_STATUS_OK) << ctx.error();
  run(c);
  expectFault("schedule", "4");
}

} // namespace
