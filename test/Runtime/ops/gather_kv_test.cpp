//===- gather_kv_test.cpp - mla_gather_kv ---------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/gather_kv.h"

using namespace mla;
using namespace mla::test;

namespace {

class GatherKvTest : public OpTest {
protected:
  void run(const PagedBatch &batch, const TestTensor &cKv,
           const TestTensor &kPe, int64_t start, int64_t length,
           int64_t maxKv = 0) {
    auto params = makeParams<mla_gather_kv_params>();
    batch.cache.set(params);
    params.page_table = batch.pageTable.get();
    params.kv_lens = batch.kvLens.get();
    params.c_kv = cKv.get();
    params.k_pe = kPe.get();
    params.window_start = start;
    params.window_length = length;
    params.max_kv = maxKv;
    ASSERT_EQ(mla_gather_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  void compareWindows(Layout layout) {
    for (uint64_t seed = 0; seed < 80; ++seed) {
      Random random(seed);
      uint32_t dtype =
          random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
      CacheSpec spec = randomCacheSpec(random, dtype);
      spec.layout = layout;
      PagedBatch batch = randomBatch(random, spec, random.integer(0, 3), 40, 5);
      int64_t start = random.integer(0, 20), length = random.integer(1, 40);
      uint32_t out = random.chance(0.6) ? dtype : uint32_t{MLA_DTYPE_F32};
      int64_t rows = batch.numSeqs * length;
      TestTensor cKv(out, {rows, spec.latentWidth}, layout, random), kPe;
      if (spec.peWidth)
        kPe = TestTensor(out, {rows, spec.peWidth}, layout, random);
      SCOPED_TRACE("seed " + std::to_string(seed) + ": window " +
                   std::to_string(start) + " + " + std::to_string(length) +
                   " of " + batch.cache.latent.describe());
      Canary canary(cKv);
      canary.allow(cKv);
      run(batch, cKv, kPe, start, length);
      EXPECT_EQ(canary.damage(), 0);
      reference::GatheredKv expected = reference::gatherKv(
          batch.cache.latentValues(), batch.cache.peValues(),
          batch.pageTable.array(), batch.kvLens.array(), start, length);
      // Widening is exact and a copy is a copy.
      EXPECT_EQ(cKv.array().data, expected.cKv.data);
      EXPECT_EQ(kPe.array().data, expected.kPe.data);
      if (rows > 0) {
        expected.cKv.data[0] += 1;
        EXPECT_NE(cKv.array().data, expected.cKv.data);
      }
    }
  }
};

TEST_F(GatherKvTest, GathersWindows) { compareWindows(Layout::Gapped); }

TEST_F(GatherKvTest, GathersDenseRows) { compareWindows(Layout::Dense); }

TEST_F(GatherKvTest, AWindowBeyondTheEndIsZero) {
  Random random(3);
  CacheSpec spec;
  spec.pageSize = 48;
  PagedBatch batch(random, spec, {20, 30}, {1, 1}, 0);
  TestTensor cKv(MLA_DTYPE_BF16, {20, 512}, Layout::Dense, random);
  TestTensor kPe(MLA_DTYPE_BF16, {20, 64}, Layout::Dense, random);
  for (int64_t start : {int64_t{30}, int64_t{1000}, int64_t{INT32_MAX}}) {
    cKv.fill(1);
    run(batch, cKv, kPe, start, 10);
    EXPECT_EQ(cKv.array().data, std::vector<double>(20 * 512, 0.0));
    EXPECT_EQ(kPe.array().data, std::vector<double>(20 * 64, 0.0));
  }
}

// Each output is converted to its own type.
TEST_F(GatherKvTest, GathersToTwoTypes) {
  Random random(4);
  CacheSpec spec;
  spec.layout = Layout::Dense;
  spec.latentDtype = spec.peDtype = MLA_DTYPE_BF16;
  PagedBatch batch(random, spec, {20, 30}, {1, 1}, 0);
  reference::GatheredKv expected =
      reference::gatherKv(batch.cache.latentValues(), batch.cache.peValues(),
                          batch.pageTable.array(), batch.kvLens.array(), 0, 10);
  for (uint32_t dtype : {MLA_DTYPE_F16, MLA_DTYPE_F32}) {
    TestTensor cKv(MLA_DTYPE_BF16, {20, 512}, Layout::Dense, random);
    TestTensor kPe(dtype, {20, 64}, Layout::Dense, random);
    SCOPED_TRACE(kPe.describe());
    run(batch, cKv, kPe, 0, 10);
    EXPECT_EQ(cKv.array().data, expected.cKv.data);
    TestTensor rounded(dtype, {20, 64}, Layout::Dense, random);
    rounded.assign(expected.kPe);
    EXPECT_EQ(kPe.array().data, rounded.array().data);
  }
}

TEST_F(GatherKvTest, ReportsBadPagesAndLengths) {
  Random random(1);
  CacheSpec spec;
  PagedBatch batch(random, spec, {20, 30}, {1, 1}, 0);
  TestTensor cKv(MLA_DTYPE_F32, {20, 512}, Layout::Dense, random);
  TestTensor kPe(MLA_DTYPE_F32, {20, 64}, Layout::Dense, random);
  double page = batch.pageTable.at({0, 0});
  batch.pageTable.set({0, 0}, 99);
  run(batch, cKv, kPe, 0, 10);
  expectFault("page_table", "99");
  batch.pageTable.set({0, 0}, page);
  batch.kvLens.set({1}, 33);
  run(batch, cKv, kPe, 0, 10);
  expectFault("kv_lens", "33");
}

TEST_F(GatherKvTest, ReportsAViolatedHint) {
  Random random(2);
  CacheSpec spec;
  PagedBatch batch(random, spec, {20, 30}, {1, 1}, 0);
  TestTensor cKv(MLA_DTYPE_F32, {20, 512}, Layout::Dense, random);
  TestTensor kPe(MLA_DTYPE_F32, {20, 64}, Layout::Dense, random);
  run(batch, cKv, kPe, 0, 10, 30);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  EXPECT_NE(cKv.at({10, 0}), 0);
  run(batch, cKv, kPe, 0, 10, 29);
  expectFault("kv_lens", "30");
  EXPECT_EQ(cKv.at({10, 0}), 0);
}

} // namespace
