//===- attention_indices_test.cpp - Attention to keys that are named ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Indices in any order, absent, repeated, beyond what a token sees; and that
// only the rows which they name are read.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionIndicesTest : public testing::Test {
protected:
  void compare(const AttentionForm &form) {
    SCOPED_TRACE(form.describe());
    attention.make(form);
    EXPECT_EQ(usesSm90(on, attention), isHopper());
    expectRight(on, attention);
    expectNoFault(on);
  }

  static AttentionForm smallForm(int64_t topk) {
    AttentionForm form;
    form.topk = topk;
    form.heads = 20;
    form.lengths = {130, 0, 65, 1};
    form.tokens = {2, 1, 3, 1};
    form.padding = 2;
    return form;
  }

  StreamContext on;
  PagedAttention attention{on};
};

// Whole tiles, tiles of two parts, which the first kernel merges, and of more.
TEST_F(CudaAttentionIndicesTest, AFewOfThem) {
  for (int64_t topk : {0, 1, 63, 64, 65, 200})
    for (int32_t limit : {1, 2, 5, 0}) {
      ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
      AttentionForm form = smallForm(topk);
      form.hasSchedule = limit != 5;
      form.hasSinks = limit == 2;
      compare(form);
    }
}

TEST_F(CudaAttentionIndicesTest, NoneAtAll) {
  for (bool hasSinks : {false, true}) {
    AttentionForm form = smallForm(150);
    form.absent = 1;
    form.hasSinks = hasSinks;
    compare(form);
  }
}

// First in blocks that no key is of, and behind others.
TEST_F(CudaAttentionIndicesTest, SeldomOnes) {
  for (uint64_t seed = 1; seed < 7; ++seed) {
    AttentionForm form = smallForm(1000);
    form.absent = 0.99;
    form.isSharp = seed % 2;
    form.seed = seed;
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, seed % 3), MLA_STATUS_OK);
    compare(form);
  }
}

TEST_F(CudaAttentionIndicesTest, TheOthersAreNotRead) {
  for (CacheRows rows :
       {CacheRows::Together, CacheRows::Apart, CacheRows::Gapped})
    for (int64_t pageSize : {1, 8, 64}) {
      AttentionForm form = smallForm(30);
      form.rows = rows;
      form.pageSize = pageSize;
      form.poisonsOthers = true;
      compare(form);
    }
}

TEST_F(CudaAttentionIndicesTest, QueriesWithRoomBetween) {
  for (int64_t heads : {1, 20, 64, 100})
    for (int64_t headGap : {0, 8})
      for (int64_t tokenGap : {0, 8, 1000}) {
        AttentionForm form = smallForm(100);
        form.heads = heads;
        form.headGap = headGap;
        form.tokenGap = tokenGap;
        compare(form);
      }
}

// By whichever kernel.
TEST_F(CudaAttentionIndicesTest, AQueryOfAllTokens) {
  for (int64_t heads : {1, 20, 100}) {
    AttentionForm form = smallForm(100);
    form.heads = heads;
    form.sharesQuery = true;
    attention.make(form);
    expectRight(on, attention);
    expectNoFault(on);
  }
}

TEST_F(CudaAttentionIndicesTest, NoSequenceAtAll) {
  for (int32_t limit : {2, 5, 0})
    for (bool hasSchedule : {false, true}) {
      ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
      AttentionForm form;
      form.topk = 70;
      form.padding = 3;
      form.hasSchedule = hasSchedule;
      compare(form);
    }
}

// What the comparison is worth.
TEST_F(CudaAttentionIndicesTest, AnotherKeyIsSeenToBeAnother) {
  AttentionForm form = smallForm(20);
  form.absent = 0;
  form.padding = 0;
  form.lengths = {300};
  form.tokens = {1};
  // All are there, and seen: of 280 and 20 more some lie beyond the end.
  form.bounds = KeyBounds::All;
  compare(form);
  reference::Array indices = download(attention.params.indices);
  std::vector<double> was = indices.data;
  bool isNamed[300] = {};
  for (double position : was)
    if (position < 300)
      isNamed[static_cast<int>(position)] = true;
  int other = 0;
  while (isNamed[other])
    ++other;
  for (double &position : indices.data)
    if (position < 300) {
      position = other;
      break;
    }
  // The result is still that of the first ones.
  upload(attention.params.indices, indices);
  EXPECT_FALSE(attention.difference().isWithin());
  expectRight(on, attention);
}

// A page counts only where a key of it is named, and seen.
TEST_F(CudaAttentionIndicesTest, OfPagesThatDontExistNamedOnesAreReported) {
  AttentionForm form = smallForm(3);
  form.lengths = {130, 70};
  form.tokens = {1, 1};
  form.padding = 0;
  attention.make(form);
  reference::Array table = download(attention.params.page_table);
  table.data[1] = 5000; // positions 64 to 127 of the first sequence
  upload(attention.params.page_table, table);
  reference::Array indices = download(attention.params.indices);
  indices.data = {129, 3, -1, 68, 0, 100};
  upload(attention.params.indices, indices);
  ASSERT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  expectNoFault(on);
  indices.data[2] = 64;
  upload(attention.params.indices, indices);
  ASSERT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  EXPECT_NE(mla_context_check(on.ctx), MLA_STATUS_OK);
  EXPECT_NE(on.ctx.error().find("page_table"), std::string::npos)
      << on.ctx.error();
  // Nothing of it stays.
  table.data[1] = table.data[0];
  upload(attention.params.page_table, table);
  expectRight(on, attention);
  expectNoFault(on);
}

TEST_F(CudaAttentionIndicesTest, LargeBatchesOfAllThatItTakes) {
  const int64_t heads[] = {64, 1, 128, 20, 16, 40, 100, 7, 96, 65, 600};
  uint64_t seed = 0;
  for (int64_t pageSize : {1, 8, 16, 64, 192})
    for (int64_t peWidth : {64, 0, 32})
      for (int again = 0; again < 8; ++again) {
        Random random(++seed);
        AttentionForm form;
        form.peWidth = peWidth;
        form.pageSize = pageSize;
        form.heads = heads[seed % 11];
        form.topk = random.pick<int64_t>({1, 40, 64, 100, 256, 1000, 2048});
        form.absent = random.pick({0.0, 0.1, 0.9});
        form.repeats = random.chance(0.3);
        form.rows = random.pick(
            {CacheRows::Together, CacheRows::Apart, CacheRows::Gapped});
        form.dtype = form.outDtype =
            random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16});
        form.bounds = random.pick(
            {KeyBounds::Causal, KeyBounds::Causal, KeyBounds::Random});
        form.headGap = random.pick<int64_t>({0, 0, 8, 64});
        form.tokenGap = random.pick<int64_t>({0, 0, 8, 64});
        form.hasSinks = random.chance(0.3);
        form.hasSchedule = random.chance(0.3);
        form.isSharp = random.chance(0.5);
        form.seed = seed;
        for (int b = 0; b < 9; ++b) {
          form.lengths.push_back(
              random.pick<int64_t>({0, 1, 63, 64, 65, 200, 333, 1023, 5000}));
          form.tokens.push_back(random.integer(0, 5));
        }
        form.padding = random.integer(0, 2);
        ASSERT_EQ(mla_context_set_sm_limit(
                      on.ctx, random.pick<int32_t>({0, 0, 1, 3, 20})),
                  MLA_STATUS_OK);
        compare(form);
        if (HasFailure())
          return;
      }
}

} // namespace
