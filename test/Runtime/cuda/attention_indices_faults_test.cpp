//===- attention_indices_faults_test.cpp - Bad data beside named keys -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A bad offset, length, bound or schedule is reported and kept to the tokens
// that it is of: nothing is written beside the results, the others get the same
// bits as without it, and so does the next good call.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include <cmath>

using namespace mla;
using namespace mla::test;

namespace {

/// What becomes of one of a call's inputs.
struct BadInput {
  const char *what;
  const mla_tensor *mla_absorbed_attention_params::*input;
  int64_t element;
  double value;
  std::vector<int64_t> tokens;  ///< New ones of each sequence.
  std::vector<int64_t> healthy; ///< Tokens that it doesn't change.
  /// All tokens get what padding gets.
  bool isNothing = false;
};

const auto cuQ = &mla_absorbed_attention_params::cu_q;
const auto kvLens = &mla_absorbed_attention_params::kv_lens;
const auto kvBounds = &mla_absorbed_attention_params::kv_bounds;

const BadInput badInputs[] = {
    // The last sequence seems to have all tokens.
    {"cu_q", cuQ, 3, 0, {2, 2, 2, 2}, {0, 1, 2, 3}},
    // The third one seems to have the fourth's and the fifth's.
    {"cu_q", cuQ, 3, 5, {1, 1, 1, 1, 1, 1}, {0, 1, 5}},
    {"cu_q", cuQ, 0, -1, {2, 2, 2, 2}, {2, 3, 4, 5, 6, 7}},
    {"cu_q", cuQ, 2, 1000, {2, 2, 2, 2}, {0, 1}},
    {"cu_q", cuQ, 4, 9, {2, 2, 2, 2}, {0, 1, 2, 3, 4, 5}},
    {"cu_q", cuQ, 4, INT32_MAX, {2, 2, 2, 2}, {0, 1, 2, 3, 4, 5}},
    {"cu_q", cuQ, 4, -1, {2, 2, 2, 2}, {}, true},
    {"cu_q", cuQ, 4, INT32_MIN, {2, 2, 2, 2}, {}, true},
    {"kv_lens", kvLens, 1, -1, {2, 2, 2, 2}, {0, 1, 4, 5, 6, 7}},
    {"kv_lens", kvLens, 1, 10000, {2, 2, 2, 2}, {0, 1, 4, 5, 6, 7}},
    {"kv_lens", kvLens, 3, INT32_MAX, {2, 2, 2, 2}, {0, 1, 2, 3, 4, 5}},
    {"kv_bounds", kvBounds, 2, -5, {2, 2, 2, 2}, {0, 1, 3, 4, 5, 6, 7}},
    {"kv_bounds", kvBounds, 5, INT32_MAX, {2, 2, 2, 2}, {0, 1, 2, 3, 4, 6, 7}},
};

class CudaAttentionIndicesFaultsTest : public testing::Test {
protected:
  /// Makes a call on so many multiprocessors, and keeps what is right.
  void start(const AttentionForm &form, int32_t limit) {
    ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
    attention.make(form);
    EXPECT_EQ(usesSm90(on, attention), isHopper());
    expectRight(on, attention);
    expectNoFault(on);
    good = tokenResults();
  }

  /// The call with something bad in it.
  void expectReported(const char *what) {
    attention.poisonResults();
    ASSERT_EQ(attention.attend(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    EXPECT_EQ(attention.damage(), 0);
    EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_DATA_ERROR);
    EXPECT_NE(on.ctx.error().find(what), std::string::npos) << on.ctx.error();
    expectNoFault(on);
  }

  std::vector<std::vector<uint8_t>> tokenResults() const {
    std::vector<std::vector<uint8_t>> results;
    for (int64_t t = 0; t < attention.params.o->shape[0]; ++t)
      results.push_back(attention.results(t, t + 1));
    return results;
  }

  void expectNothing() {
    for (double value : download(attention.params.o).data)
      ASSERT_EQ(value, 0);
    for (double value : download(attention.params.lse).data)
      ASSERT_EQ(value, -INFINITY);
  }

  /// Once nothing is bad any more.
  void expectRecovered() {
    attention.poisonResults();
    expectRight(on, attention);
    EXPECT_TRUE(tokenResults() == good);
    expectNoFault(on);
  }

  StreamContext on;
  PagedAttention attention{on};
  std::vector<std::vector<uint8_t>> good; ///< Of each token.
};

TEST_F(CudaAttentionIndicesFaultsTest, InputsAreReportedAndContained) {
  for (const BadInput &bad : badInputs)
    for (int32_t limit : {2, 5, 0}) {
      AttentionForm form;
      form.topk = 150;
      form.heads = 100;
      form.lengths = {130, 70, 300, 65, 200, 64};
      form.lengths.resize(bad.tokens.size());
      form.tokens = bad.tokens;
      form.hasSchedule = false;
      if (bad.input == kvBounds)
        form.bounds = KeyBounds::All;
      SCOPED_TRACE(std::string(bad.what) + "[" + std::to_string(bad.element) +
                   "] " + std::to_string(bad.value) + ", limit " +
                   std::to_string(limit));
      start(form, limit);
      const mla_tensor *input = attention.params.*bad.input;
      reference::Array values = download(input), was = values;
      values.data[bad.element] = bad.value;
      upload(input, values);
      ASSERT_NO_FATAL_FAILURE(expectReported(bad.what));
      for (int64_t t : bad.healthy)
        EXPECT_TRUE(attention.results(t, t + 1) == good[t]) << "token " << t;
      if (bad.isNothing)
        expectNothing();
      upload(input, was);
      expectRecovered();
      if (HasFailure())
        return;
    }
}

TEST_F(CudaAttentionIndicesFaultsTest, AScheduleOfAnotherCallIsReported) {
  for (int32_t limit : {2, 5, 0})
    for (int element = 0; element < 8; ++element) {
      AttentionForm form;
      form.topk = 150;
      form.heads = 100;
      form.lengths = {130, 70, 300};
      form.tokens = {1, 3, 2};
      SCOPED_TRACE("element " + std::to_string(element) + ", limit " +
                   std::to_string(limit));
      start(form, limit);
      std::vector<int32_t> schedule = attention.schedule();
      schedule[element] = 1000;
      attention.setSchedule(schedule);
      ASSERT_NO_FATAL_FAILURE(expectReported("schedule"));
      expectNothing();
      expectRecovered();
      if (HasFailure())
        return;
    }
}

} // namespace
