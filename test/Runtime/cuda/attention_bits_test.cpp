//===- attention_bits_test.cpp - Absorbed attention's bits ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The same inputs give the same bits: again, in another context, by a schedule
// of the caller's or by the call's own, in a graph.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionBitsTest : public testing::Test {
protected:
  using Bytes = std::vector<uint8_t>;

  /// Calls `visit` with what decoding has: few heads to many, and up to four
  /// tokens a sequence.
  static void
  forEachShape(const std::function<void(const AttentionForm &)> &visit) {
    for (int64_t heads : {16, 64, 128})
      for (int64_t tokens : {1, 2, 4}) {
        Random random(heads + tokens);
        AttentionForm form;
        form.heads = heads;
        form.isSharp = tokens == 2;
        form.seed = heads + tokens;
        form.lengths = normalLengths(random, 20, 900, tokens);
        form.lengths[7] = 0;
        form.lengths[11] = 9000;
        form.setTokens(tokens);
        SCOPED_TRACE(form.describe());
        visit(form);
      }
  }

  /// What a call writes, in whatever stream.
  static Bytes resultsOf(const PagedAttention &attention,
                         const std::function<mla_status()> &call) {
    attention.poisonResults();
    expectCuda(cudaDeviceSynchronize());
    EXPECT_EQ(call(), MLA_STATUS_OK);
    expectCuda(cudaDeviceSynchronize());
    return attention.results();
  }

  /// That calls without a caller's schedule give `first` in both contexts, and
  /// other bits, which are right, where a limit splits them otherwise.
  void expectSameWithoutSchedule(const Bytes &first) {
    attention.params.schedule = nullptr;
    for (StreamContext *context : {&on, &other})
      EXPECT_TRUE(first == resultsOf(attention, [&] {
                    return attention.attend(context->ctx);
                  }));
    // Split for fewer multiprocessors, the sums have another order.
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, 7), MLA_STATUS_OK);
    EXPECT_FALSE(first == resultsOf(attention,
                                    [&] { return attention.attend(on.ctx); }));
    EXPECT_TRUE(attention.difference().isWithin());
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, 0), MLA_STATUS_OK);
    expectNoFault(on);
    expectNoFault(other);
  }

  StreamContext on, other;
  PagedAttention attention{on};
};

TEST_F(CudaAttentionBitsTest, LargeBatchesOfOneScheduleHaveTheSame) {
  forEachShape([&](const AttentionForm &form) {
    attention.make(form);
    Bytes first = resultsOf(attention, [&] { return attention.run(on.ctx); });
    std::vector<int32_t> schedule = attention.schedule();
    EXPECT_TRUE(attention.difference().isWithin());
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(first == resultsOf(attention,
                                     [&] { return attention.attend(on.ctx); }));
    EXPECT_TRUE(first == resultsOf(attention, [&] {
                  return attention.attend(other.ctx);
                }));
    EXPECT_TRUE(first ==
                resultsOf(attention, [&] { return attention.run(other.ctx); }));
    EXPECT_TRUE(schedule == attention.schedule());
    expectSameWithoutSchedule(first);
  });
}

// Calls that are enqueued one behind the other keep their states in the same
// slots.
TEST_F(CudaAttentionBitsTest, LargeBatchesInTurnHaveThoseOfEachAlone) {
  PagedAttention second(on);
  forEachShape([&](const AttentionForm &form) {
    AttentionForm other = form;
    other.lengths = {9000, 1, 2500};
    other.setTokens(form.tokens[0]);
    attention.make(form);
    second.make(other);
    auto run = [&](PagedAttention &of) {
      return resultsOf(of, [&] { return of.run(on.ctx); });
    };
    Bytes first = run(attention), last = run(second);
    attention.poisonResults();
    second.poisonResults();
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(attention.attend(on.ctx), MLA_STATUS_OK);
      ASSERT_EQ(second.attend(on.ctx), MLA_STATUS_OK);
    }
    EXPECT_TRUE(attention.results() == first);
    EXPECT_TRUE(second.results() == last);
    expectNoFault(on);
  });
}

// Which schedule is given makes no difference where keys are named.
TEST_F(CudaAttentionBitsTest, LargeBatchesOfNamedKeysHaveTheSame) {
  forEachShape([&](AttentionForm form) {
    form.topk = 300;
    SCOPED_TRACE(form.describe());
    attention.make(form);
    Bytes first = resultsOf(attention, [&] { return attention.run(on.ctx); });
    EXPECT_TRUE(attention.difference().isWithin());
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(first == resultsOf(attention,
                                     [&] { return attention.attend(on.ctx); }));
    expectSameWithoutSchedule(first);
  });
}

// Nor does it where there is room for more tokens.
TEST_F(CudaAttentionBitsTest, LargeBatchesOfNamedKeysHaveTheSameBesidePadding) {
  forEachShape([&](AttentionForm form) {
    form.topk = 300;
    int64_t real = form.numTokens();
    Bytes alone;
    for (int64_t padding : {0, 1, 50, 700}) {
      form.padding = padding;
      SCOPED_TRACE(form.describe());
      attention.make(form);
      expectRight(on, attention);
      Bytes results = attention.results(0, real);
      if (padding == 0)
        alone = results;
      EXPECT_TRUE(results == alone);
      expectNoFault(on);
    }
  });
}

/// Of as many tokens in all, others of each sequence, up to eight.
void drawTokens(Random &random, AttentionForm &form, int64_t all) {
  int64_t left = all;
  for (int64_t &tokens : form.tokens) {
    tokens = random.integer(0, std::min<int64_t>(left, 8));
    left -= tokens;
  }
  form.padding = left;
}

// Recorded once, with the lengths, pages, new tokens and bounds of a first
// step; then others take their places.
TEST_F(CudaAttentionBitsTest, LargeBatchesInAGraphHaveThoseOfCalls) {
  const int64_t most = 2100;
  forEachShape([&](AttentionForm form) {
    Random random(form.seed);
    form.lengths = {most, 1, 64, 65, 700, 129};
    form.setTokens(form.tokens[0]);
    form.capacity = most;
    if (form.heads == 64)
      form.bounds = KeyBounds::Random;
    if (form.heads == 16)
      form.topk = 200;
    int64_t all = 6 * form.tokens[0];
    attention.make(form);
    CapturedGraph graph(on, [&] { return attention.run(on.ctx); });
    ASSERT_TRUE(graph);
    for (int round = 0; round < 6; ++round) {
      form.seed += 1000;
      for (int64_t &length : form.lengths)
        length =
            round == 0 ? 0
            : round == 1
                ? most
                : random.pick<int64_t>({0, 1, most, random.integer(0, most)});
      if (round > 2)
        drawTokens(random, form, all);
      SCOPED_TRACE(form.describe());
      attention.refill(form);
      graph.replay();
      Bytes replayed = attention.results();
      AttentionDifference difference = attention.difference();
      EXPECT_TRUE(difference.isWithin()) << difference.describe();
      EXPECT_EQ(difference.damage, 0u);
      EXPECT_TRUE(replayed == resultsOf(attention, [&] {
                    return attention.run(other.ctx);
                  }));
      expectNoFault(on);
      expectNoFault(other);
    }
  });
}

} // namespace
