//===- attention_schedules_test.cpp - Schedules with something amiss ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// bad_schedule_test.cpp has schedules of nothing but garbage. Here most of one
// is right, so that CTAs meet each other, and wait for each other's states, in
// ways that no schedule provides for. Attention ends all the same, writes
// nothing beside its results, and leaves nothing behind for the next call.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

using namespace mla;
using namespace mla::test;

namespace {

// Elements of a schedule, see runtime/cuda/AttentionSplit.h.
const size_t lanesAt = 6, partsAt = 7, startsAt = 16;

class CudaAttentionSchedulesTest : public testing::Test {
protected:
  void make(int64_t heads, const std::vector<int64_t> &lengths,
            int64_t tokens) {
    form = AttentionForm();
    form.heads = heads;
    form.lengths = lengths;
    form.setTokens(tokens);
    attention.make(form);
    SCOPED_TRACE(form.describe());
    EXPECT_EQ(usesSm90(on, attention), isHopper());
    expectRight(on, attention);
    expectNoFault(on);
    right = attention.schedule();
    result = attention.results();
  }

  /// The status of a call and of the check behind it.
  mla_status runWith(const std::vector<int32_t> &schedule) {
    attention.setSchedule(schedule);
    EXPECT_EQ(attention.attend(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    mla_status status = mla_context_check(on.ctx);
    EXPECT_EQ(attention.damage(), 0);
    return status;
  }

  /// As if nothing had been.
  void expectRightAgain() {
    attention.setLengths(form.lengths);
    attention.poisonResults();
    EXPECT_EQ(runWith(right), MLA_STATUS_OK) << on.ctx.error();
    EXPECT_TRUE(attention.results() == result);
  }

  /// Some of its starts, and seldom its lanes and parts, are others.
  std::vector<int32_t> edit(Random &random) const {
    std::vector<int32_t> schedule = right;
    int64_t ctas = int64_t{right[lanesAt]} * right[partsAt];
    if (random.chance(0.25)) {
      int64_t lanes = random.integer(1, std::min<int64_t>(8, ctas));
      schedule[lanesAt] = static_cast<int32_t>(lanes);
      schedule[partsAt] = static_cast<int32_t>(random.integer(1, ctas / lanes));
    }
    int64_t starts = 3 * (int64_t{right[partsAt]} + 1);
    auto start = [&] { return startsAt + random.integer(0, starts - 1); };
    auto seqs = static_cast<int64_t>(form.lengths.size());
    for (int64_t n = random.integer(1, 12); n > 0; --n)
      schedule[start()] = static_cast<int32_t>(random.pick<int64_t>(
          {random.integer(-2, 5), random.integer(0, seqs + 2),
           random.integer(0, 200), right[start()], right[start()], 1 << 30,
           INT32_MAX, INT32_MIN}));
    return schedule;
  }

  StreamContext on;
  PagedAttention attention{on};
  AttentionForm form;
  std::vector<int32_t> right;
  std::vector<uint8_t> result;
};

TEST_F(CudaAttentionSchedulesTest, LargeBatchesEndWithSomeStartsElsewhere) {
  int64_t others = 0;
  for (int64_t heads : {16, 64, 128})
    for (int64_t batch : {1, 5, 100}) {
      Random random(heads + batch);
      make(heads, normalLengths(random, batch, 900, 0), 1 + batch % 3);
      for (int round = 0; round < 80; ++round) {
        SCOPED_TRACE(form.describe() + ", round " + std::to_string(round));
        attention.poisonResults();
        EXPECT_EQ(runWith(edit(random)), MLA_STATUS_OK) << on.ctx.error();
        others += attention.results() != result;
        if (round % 20 == 0)
          expectRightAgain();
        if (HasFailure())
          return;
      }
      expectRightAgain();
    }
  // An edit may be of what nobody reads; most are not.
  EXPECT_GT(others, 200);
}

TEST_F(CudaAttentionSchedulesTest, LargeBatchesOfOtherLengthsAreAFault) {
  for (int64_t heads : {16, 64, 128})
    for (int64_t batch : {1, 5, 100}) {
      Random random(heads + batch);
      make(heads, normalLengths(random, batch, 900, 1), 1 + batch % 3);
      for (int round = 0; round < 8; ++round) {
        SCOPED_TRACE(form.describe() + ", round " + std::to_string(round));
        std::vector<int64_t> other = form.lengths;
        if (round == 0)
          other.back() -= 1;
        else
          for (int64_t &length : other)
            length = random.integer(0, length - 1);
        attention.setLengths(other);
        EXPECT_EQ(runWith(round < 4 ? right : edit(random)),
                  MLA_STATUS_DATA_ERROR);
        EXPECT_NE(on.ctx.error().find("schedule"), std::string::npos)
            << on.ctx.error();
      }
      expectRightAgain();
    }
}

TEST_F(CudaAttentionSchedulesTest, AHeadingOfAnotherCallIsAFault) {
  make(20, {200, 0, 65}, 2);
  for (size_t i = 0; i < 8; ++i) {
    SCOPED_TRACE("element " + std::to_string(i));
    std::vector<int32_t> schedule = right;
    schedule[i] += 1000;
    attention.poisonResults();
    EXPECT_EQ(runWith(schedule), MLA_STATUS_DATA_ERROR);
    EXPECT_NE(on.ctx.error().find("schedule"), std::string::npos)
        << on.ctx.error();
    // What padding gets.
    reference::Array o = download(attention.params.o),
                     lse = download(attention.params.lse);
    EXPECT_EQ(std::count(o.data.begin(), o.data.end(), 0),
              static_cast<ptrdiff_t>(o.data.size()));
    EXPECT_EQ(std::count(lse.data.begin(), lse.data.end(), -INFINITY),
              static_cast<ptrdiff_t>(lse.data.size()));
    expectRightAgain();
  }
}

} // namespace
