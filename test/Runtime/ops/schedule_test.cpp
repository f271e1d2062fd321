//===- schedule_test.cpp - mla_schedule -----------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/schedule.h"

using namespace mla;
using namespace mla::test;

namespace {

class ScheduleTest : public OpTest {
protected:
  TestTensor make(const TestTensor &kvLens, const TestTensor &cuQ,
                  int64_t heads = 2, int64_t extra = 0) {
    Random random(1);
    TestTensor schedule(MLA_DTYPE_I32,
                        {reference::scheduleSize(kvLens.dim(0)) + extra},
                        Layout::Dense, random);
    Canary canary(schedule);
    canary.allow(schedule.rows(0, reference::scheduleSize(kvLens.dim(0))));
    auto params = makeParams<mla_schedule_params>();
    params.kv_lens = kvLens.get();
    params.cu_q = cuQ.get();
    params.schedule = schedule.get();
    params.num_heads = heads;
    params.page_size = 16;
    EXPECT_EQ(mla_schedule(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage(), 0);
    return schedule;
  }
};

TEST_F(ScheduleTest, IsAFunctionOfItsArguments) {
  TestTensor lengths(MLA_DTYPE_I32, {2}, {30, 9});
  TestTensor others(MLA_DTYPE_I32, {2}, {30000, 9});
  TestTensor cuQ(MLA_DTYPE_I32, {3}, {0, 1, 2});
  TestTensor first = make(lengths, cuQ);
  EXPECT_TRUE(make(lengths, cuQ).sameBits(first));
  EXPECT_FALSE(make(others, cuQ).sameBits(first));
  // Of lengths so near each other a GPU may split both alike.
  TestTensor near(MLA_DTYPE_I32, {2}, {31, 9});
  EXPECT_FALSE(testBackend().isCpu() && make(near, cuQ).sameBits(first));
  EXPECT_FALSE(make(lengths, cuQ, 4).sameBits(first));
}

TEST_F(ScheduleTest, TakesARoomierBufferAndNoSequences) {
  Random random(2);
  make(TestTensor(MLA_DTYPE_I32, {2}, {30, 9}),
       TestTensor(MLA_DTYPE_I32, {3}, {0, 1, 2}), 2, 100);
  make(TestTensor(MLA_DTYPE_I32, {0}, Layout::Dense, random),
       TestTensor(MLA_DTYPE_I32, {1}, {0}));
}

// Whoever uses it reports them; here nothing may be written beside it.
TEST_F(ScheduleTest, TakesAnyLengthsAndOffsets) {
  const int64_t numSeqs = 40000;
  std::vector<int64_t> lengths(numSeqs, INT32_MAX), offsets;
  for (int64_t b = 0; b <= numSeqs; ++b)
    offsets.push_back(b % 2 ? INT32_MAX : 0);
  TestTensor kvLens(MLA_DTYPE_I32, {numSeqs}, lengths);
  for (int64_t heads : {int64_t{1}, int64_t{128}, int64_t{INT32_MAX}})
    make(kvLens, TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, offsets), heads);
  lengths.assign(numSeqs, INT32_MIN);
  offsets.assign(numSeqs + 1, INT32_MIN);
  make(TestTensor(MLA_DTYPE_I32, {numSeqs}, lengths),
       TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, offsets));
}

TEST_F(ScheduleTest, TheSizeIsTheHeaders) {
  for (int64_t numSeqs : {0, 1, 7, 4096})
    EXPECT_EQ(reference::scheduleSize(numSeqs), MLA_SCHEDULE_SIZE(numSeqs));
}

} // namespace
