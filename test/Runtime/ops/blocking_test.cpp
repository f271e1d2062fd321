//===- blocking_test.cpp - Shapes beside the kernels' tiles ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Kernels cut queries, keys and columns into tiles, a call into parts for
// threads or multiprocessors. None of that may show: heads, keys and widths on
// both sides of every tile's size, and one thread against two.
//
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"
#include "reference/absorb_q.h"
#include "reference/project_v.h"

using namespace mla;
using namespace mla::test;

namespace {

const uint32_t floatTypes[] = {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16};

class BlockingTest : public OpTest {
protected:
  void run(const AttentionCase &c) {
    mla_absorbed_attention_params params = c.params();
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
  }

  void compare(const AttentionCase &c) {
    Canary o(c.o), lse(c.lse);
    o.allow(c.o);
    lse.allow(c.lse);
    run(c);
    EXPECT_EQ(o.damage() + lse.damage(), 0);
    reference::State expected = c.formula().compute();
    // f32 sums even where inputs and result are rounded.
    double bound = c.o.dtype() == MLA_DTYPE_F32   ? 3e-6
                   : c.o.dtype() == MLA_DTYPE_F16 ? 1e-3
                                                  : 5e-3;
    double lseBound = 3e-6;
    if (!testBackend().isCpu()) {
      bound = attentionTolerance(c.query.dtype(), c.o.dtype());
      lseBound = 1e-5;
    }
    EXPECT_LE(relativeError(c.o.array(), expected.o), bound);
    EXPECT_LE(relativeError(c.lse.array(), expected.lse), lseBound);
  }

  void limitThreads(int32_t count) {
    ASSERT_EQ(mla_context_set_sm_limit(ctx, count), MLA_STATUS_OK);
  }
};

TEST_F(BlockingTest, EveryNumberOfKeysAroundABlock) {
  for (int64_t keys = 1; keys <= 130; ++keys) {
    Random random(keys);
    CacheSpec spec;
    spec.latentWidth = 64;
    spec.peWidth = 16;
    spec.pageSize = random.pick<int64_t>({1, 3, 16, 64});
    spec.latentDtype = spec.peDtype = floatTypes[keys % 3];
    int64_t added = std::min<int64_t>(keys, 3);
    AttentionCase c(random, PagedBatch(random, spec, {keys, 1}, {added, 1}, 0),
                    random.pick<int64_t>({1, 2, 11, 30}), spec.latentDtype,
                    MLA_DTYPE_F32);
    SCOPED_TRACE(std::to_string(keys) + " keys, " + c.query.describe());
    compare(c);
    if (HasFailure())
      return;
  }
}

TEST_F(BlockingTest, EveryNumberOfHeadsAroundATile) {
  for (int64_t heads : {1,  2,  3,  4,  5,  7,  8,  9,   15,  16,  17, 23,
                        24, 25, 31, 33, 48, 63, 65, 127, 129, 131, 200}) {
    Random random(heads);
    CacheSpec spec;
    spec.latentWidth = random.pick<int64_t>({64, 96, 112});
    spec.peWidth = random.pick<int64_t>({0, 16, 32});
    spec.latentDtype = spec.peDtype = floatTypes[heads % 3];
    AttentionCase c(random,
                    PagedBatch(random, spec, {75, 0, 20, 3}, {3, 0, 1, 3}, 1),
                    heads, spec.latentDtype, MLA_DTYPE_F32);
    SCOPED_TRACE(c.query.describe() + " " + c.batch.latent.describe());
    compare(c);
    if (HasFailure())
      return;
  }
}

TEST_F(BlockingTest, WidthsThatFillNoLine) {
  for (auto [latent, pe] : {std::pair<int64_t, int64_t>{1, 2},
                            {7, 0},
                            {15, 2},
                            {17, 6},
                            {40, 8},
                            {100, 14},
                            {448, 32},
                            {449, 2}})
    for (int64_t heads : {1, 5, 26, 40}) {
      Random random(latent + heads);
      CacheSpec spec;
      spec.latentWidth = latent;
      spec.peWidth = pe;
      spec.latentDtype = spec.peDtype = floatTypes[random.integer(0, 2)];
      AttentionCase c(random, PagedBatch(random, spec, {70, 9}, {2, 9}, 0),
                      heads, MLA_DTYPE_F32, MLA_DTYPE_F32);
      SCOPED_TRACE(c.query.describe() + " " + c.batch.latent.describe());
      compare(c);
      if (HasFailure())
        return;
    }
}

TEST_F(BlockingTest, ThreadsChangeNoMoreThanTheOrderOfSums) {
  for (int64_t heads : {1, 2, 20, 128}) {
    Random random(heads);
    CacheSpec spec;
    spec.latentWidth = 128;
    spec.peWidth = 32;
    // Few long sequences: their keys are split. One is too short for that.
    AttentionCase c(random,
                    PagedBatch(random, spec, {6000, 300, 2000}, {1, 2, 1}, 1),
                    heads, MLA_DTYPE_F32, MLA_DTYPE_F32);
    c.addSinks(random);
    SCOPED_TRACE(c.query.describe());
    limitThreads(1);
    compare(c);
    std::vector<double> one = c.o.array().data;
    for (int32_t threads : {2, 3}) {
      limitThreads(threads);
      compare(c);
      std::vector<double> first = c.o.array().data;
      for (int again = 0; again < 3; ++again) {
        c.o.fill(0);
        run(c);
        EXPECT_EQ(c.o.array().data, first);
      }
    }
    limitThreads(1);
    run(c);
    EXPECT_EQ(c.o.array().data, one);
  }
}

TEST_F(BlockingTest, ThreadsReportTheFirstFault) {
  Random random(3);
  CacheSpec spec;
  spec.latentWidth = 128;
  AttentionCase c(random,
                  PagedBatch(random, spec, {3000, 3000, 3000}, {1, 1, 1}, 0),
                  20, MLA_DTYPE_F32, MLA_DTYPE_F32);
  c.batch.kvLens.set({2}, -9);
  c.batch.pageTable.set({1, 100}, -55);
  c.batch.pageTable.set({1, 20}, -44);
  for (int32_t threads : {1, 2}) {
    limitThreads(threads);
    run(c);
    if (testBackend().isCpu()) {
      expectFault("page_table", "-44");
      continue;
    }
    // All of a GPU's threads meet theirs at once.
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_DATA_ERROR);
    EXPECT_NE(ctx.error().find("mla_absorbed_attention"), std::string::npos)
        << ctx.error();
    mla_context_clear_error(ctx);
  }
}

TEST_F(BlockingTest, ANanInAHiddenKeyOfAFullTile) {
  Random random(5);
  CacheSpec spec;
  spec.latentWidth = 64;
  spec.peWidth = 16;
  for (int64_t heads : {2, 40}) {
    AttentionCase c(random, PagedBatch(random, spec, {90}, {4}, 0), heads,
                    MLA_DTYPE_F32, MLA_DTYPE_F32);
    auto page = static_cast<int64_t>(c.batch.pageTable.at({0, 5}));
    // Key 88, which the last two tokens see.
    c.batch.latent.set({page, 8, 7}, std::numeric_limits<double>::infinity());
    run(c);
    for (int64_t h = 0; h < heads; ++h) {
      EXPECT_TRUE(std::isfinite(c.o.at({1, h, 7})));
      EXPECT_FALSE(std::isfinite(c.o.at({2, h, 7})));
    }
  }
}

TEST_F(BlockingTest, HeadProductsOfAnyNumberOfTokens) {
  for (int64_t tokens : {1, 2, 5, 8, 9, 24, 25, 63, 64, 65, 130})
    for (int32_t threads : {1, 2}) {
      limitThreads(threads);
      Random random(tokens);
      uint32_t dtype = floatTypes[tokens % 3];
      int64_t heads = random.pick<int64_t>({1, 3}), nope = 48, latent = 130;
      auto make = [&](Shape shape) {
        return TestTensor(dtype, std::move(shape), Layout::Gapped, random);
      };
      TestTensor x = make({tokens, heads, nope});
      TestTensor w = make({heads, nope, latent});
      TestTensor query = make({tokens, heads, latent});
      TestTensor out = make({tokens, heads, nope});
      x.fillRandom(random);
      w.fillRandom(random);
      auto absorb = makeParams<mla_absorb_q_params>();
      absorb.q_nope = x.get();
      absorb.w_uk = w.get();
      absorb.query = query.get();
      ASSERT_EQ(mla_absorb_q(ctx, &absorb), MLA_STATUS_OK) << ctx.error();
      auto project = makeParams<mla_project_v_params>();
      project.o_latent = query.get();
      project.w_uv = w.get();
      project.out = out.get();
      ASSERT_EQ(mla_project_v(ctx, &project), MLA_STATUS_OK) << ctx.error();
      SCOPED_TRACE(x.describe());
      EXPECT_LE(relativeError(query.array(),
                              reference::absorbQ(x.array(), w.array())),
                tolerance(dtype));
      EXPECT_LE(relativeError(out.array(),
                              reference::projectV(query.array(), w.array())),
                tolerance(dtype));
    }
}

} // namespace
