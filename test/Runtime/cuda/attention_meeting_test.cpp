//===- attention_meeting_test.cpp - Hopper's attention that merges --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Where tiles are split all blocks of a call wait for each other, at a counter
// that nothing resets. Calls of other sizes behind each other, and beside each
// other on two streams, end all the same, and give what each gives alone.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include <deque>
#include <initializer_list>
#include <memory>
#include <tuple>

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionMeetingTest : public testing::Test {
protected:
  using Bytes = std::vector<uint8_t>;

  /// A call with operands of its own, and what it gives alone.
  struct Call {
    explicit Call(const StreamContext &on) : attention(on) {}
    PagedAttention attention;
    std::string name;
    Bytes alone;
  };
  using Calls = std::deque<Call>;

  /// From tiles of two pieces to one of all, and none that is split.
  static std::vector<AttentionForm> forms() {
    std::vector<AttentionForm> result;
    auto add = [&](int64_t heads, std::vector<int64_t> lengths,
                   int64_t tokens) {
      AttentionForm form;
      form.heads = heads;
      form.lengths = std::move(lengths);
      form.setTokens(tokens);
      form.seed = 10 + result.size();
      form.hasSinks = result.size() % 3 == 1;
      form.hasSchedule = result.size() % 2 == 0;
      result.push_back(form);
    };
    // One long sequence among many short ones has most of the parts.
    auto oneLong = [](size_t count, int64_t length) {
      std::vector<int64_t> lengths(count, 100);
      lengths[count / 3] = length;
      return lengths;
    };
    for (int64_t heads : {16, 64, 128}) {
      add(heads, {8192}, 1);
      add(heads, oneLong(80, 40000), 1);
      add(heads, oneLong(40, 9000), 4);
      add(heads, {3000, 8192, 1, 5000}, 2);
      add(heads, {0, 0, 7}, 1);
      add(heads, std::vector<int64_t>(16, 2048), 1);
      add(heads, std::vector<int64_t>(132, 200), 1);
    }
    add(3, {40000}, 1);
    Random random(3);
    add(128, normalLengths(random, 70, 1500, 4), 4);
    result.back().padding = 3;
    return result;
  }

  static mla_status run(Call &call, StreamContext &on) {
    return call.attention.run(on.ctx);
  }

  /// Makes a call, right when nothing else runs.
  static void addCall(Calls &calls, const AttentionForm &form,
                      StreamContext &on) {
    calls.emplace_back(on);
    Call &call = calls.back();
    call.name = form.describe();
    SCOPED_TRACE(call.name);
    call.attention.make(form);
    expectRight(on, call.attention);
    call.alone = call.attention.results();
    call.attention.poisonResults();
  }

  static void expectAsAlone(const Calls &calls) {
    expectCuda(cudaDeviceSynchronize());
    for (const Call &call : calls)
      EXPECT_TRUE(call.attention.results() == call.alone) << call.name;
  }

  void runOnTwoStreams();

  StreamContext on, other;
};

// Where tiles have two parts or fewer, as most have; else there is a second
// one.
TEST_F(CudaAttentionMeetingTest, LargeBatchesAreOneKernelOnHopper) {
  PagedAttention attention(on);
  for (auto [heads, seqs, kernels] :
       std::initializer_list<std::tuple<int64_t, size_t, size_t>>{
           {16, 200, 1},
           {64, 70, 1},
           {128, 40, 1},
           {16, 1, 2},
           {64, 32, 2},
           {128, 16, 2}}) {
    AttentionForm form;
    form.heads = heads;
    form.lengths.assign(seqs, 2000);
    form.setTokens(1);
    SCOPED_TRACE(form.describe());
    attention.make(form);
    EXPECT_EQ(attention.run(on.ctx), MLA_STATUS_OK);
    CapturedGraph graph(on, [&] { return attention.attend(on.ctx); });
    ASSERT_TRUE(graph);
    EXPECT_EQ(graph.countNodes().kernels, isHopper() ? kernels : 2);
  }
}

TEST_F(CudaAttentionMeetingTest, LargeBatchesOneBehindTheOtherAreAsAlone) {
  Calls calls;
  for (const AttentionForm &form : forms())
    addCall(calls, form, on);
  Random random(1);
  for (int n = 0; n < 400; ++n)
    ASSERT_EQ(run(calls[random.integer(0, calls.size() - 1)], on),
              MLA_STATUS_OK);
  for (Call &call : calls) {
    call.attention.poisonResults();
    ASSERT_EQ(run(call, on), MLA_STATUS_OK);
  }
  expectAsAlone(calls);
  expectNoFault(on);
}

// First each may have a part of the GPU, and meetings take place side by side.
TEST_F(CudaAttentionMeetingTest, LargeBatchesOnTwoStreamsAtOnceAreAsAlone) {
  for (int32_t limit : {50, 0}) {
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
    ASSERT_EQ(mla_context_set_sm_limit(other.ctx, limit), MLA_STATUS_OK);
    runOnTwoStreams();
  }
}

void CudaAttentionMeetingTest::runOnTwoStreams() {
  Calls ones, others;
  for (const AttentionForm &form : forms()) {
    addCall(ones, form, on);
    addCall(others, form, other);
  }
  Random random(2);
  for (int round = 0; round < 20; ++round) {
    for (size_t n = 0; n < ones.size(); ++n) {
      size_t first = round == 0 ? n : random.integer(0, ones.size() - 1);
      size_t second = others.size() - 1 - n;
      ASSERT_EQ(run(ones[first], on), MLA_STATUS_OK);
      ASSERT_EQ(run(others[second], other), MLA_STATUS_OK);
    }
    expectAsAlone(ones);
    expectAsAlone(others);
    if (HasFailure())
      return;
  }
  expectNoFault(on);
  expectNoFault(other);
}

// The same beside graphs, which are recorded once.
TEST_F(CudaAttentionMeetingTest, LargeBatchesInGraphsOnTwoStreamsAreAsAlone) {
  Calls ones, others;
  for (const AttentionForm &form : forms()) {
    addCall(ones, form, on);
    addCall(others, form, other);
  }
  auto record = [](Calls &calls, StreamContext &stream) {
    return std::make_unique<CapturedGraph>(stream, [&]() -> mla_status {
      for (Call &call : calls)
        if (mla_status status = run(call, stream))
          return status;
      return MLA_STATUS_OK;
    });
  };
  auto first = record(ones, on), second = record(others, other);
  ASSERT_TRUE(*first && *second);
  for (int round = 0; round < 30; ++round) {
    first->replay();
    second->replay();
    ASSERT_EQ(run(ones[round % ones.size()], on), MLA_STATUS_OK);
  }
  expectAsAlone(ones);
  expectAsAlone(others);
  expectNoFault(on);
  expectNoFault(other);
}

// As many blocks as multiprocessors that the call may use, another number each
// time.
TEST_F(CudaAttentionMeetingTest, LargeBatchesOfOtherLimitsAreAsAlone) {
  const int32_t limits[] = {0, 1, 2, 7, 50, 131};
  Calls calls;
  AttentionForm form;
  form.heads = 64;
  form.lengths.assign(70, 500);
  form.lengths[5] = 30000;
  form.setTokens(2);
  form.hasSchedule = false;
  for (int32_t limit : limits) {
    ASSERT_EQ(mla_context_set_sm_limit(other.ctx, limit), MLA_STATUS_OK);
    addCall(calls, form, other);
  }
  expectCuda(cudaDeviceSynchronize());
  // Two orders of sums are not the same.
  EXPECT_FALSE(calls[0].alone == calls[3].alone);
  for (int n = 0; n < 200; ++n) {
    size_t i = n * 5 % calls.size();
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limits[i]), MLA_STATUS_OK);
    ASSERT_EQ(run(calls[i], on), MLA_STATUS_OK);
  }
  expectAsAlone(calls);
  ASSERT_EQ(mla_context_set_sm_limit(on.ctx, 0), MLA_STATUS_OK);
  expectNoFault(on);
}

} // namespace
