//===- OverlapTest.cpp - Arguments that share memory, and not -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

using Append = mla_append_params;

/// Makes `field` columns [from, from + width) of a fresh buffer that is
/// `columns` wide; both fields of a test share the operand that it returns.
static void slice(mla_tensor &tensor, const Operand &buffer, int64_t from) {
  int last = tensor.rank - 1;
  for (int i = 0; i < last; ++i)
    tensor.strides[i] = buffer.tensor.strides[i];
  tensor.data = buffer.tensor.data;
  tensor.byte_offset = static_cast<uint64_t>(from) * 4;
}

TEST(Overlap, InterleavedViewsAreApart) {
  auto call = validAppend();
  // The cache is one pool of rows [latent | pe]; q one tensor [nope | pe].
  Operand pool(MLA_DTYPE_F32, {6, 8, 576}), q(MLA_DTYPE_F32, {4, 2, 576});
  slice(call[&Append::cache_latent], pool, 0);
  slice(call[&Append::cache_pe], pool, 512);
  slice(call[&Append::q_nope], q, 0);
  slice(call[&Append::q_pe], q, 512);
  EXPECT_EQ(answer(mla_append, call.p, MLA_MODE_RUN), "OK");
}

/// What append says of a cache in one pool of rows of so many columns, whose pe
/// part begins at column `pe`.
static std::string answerOfPool(int64_t columns, int64_t pe) {
  auto call = validAppend();
  Operand pool(MLA_DTYPE_F32, {6, 8, columns});
  slice(call[&Append::cache_latent], pool, 0);
  slice(call[&Append::cache_pe], pool, pe);
  return answer(mla_append, call.p);
}

static const char *const refusal =
    "INVALID_ARGUMENT: mla_append: cache_latent: expected memory apart from "
    "the other arguments, got an overlap with cache_pe";

TEST(Overlap, SlicesThatMeetAreRefused) {
  EXPECT_EQ(answerOfPool(576, 500), refusal);
}

TEST(Overlap, ASliceThatReachesIntoTheNextRowIsRefused) {
  // Rows are 32 columns too short for [latent | pe].
  EXPECT_EQ(answerOfPool(544, 512), refusal);
}

/// Elements' places, each as often as it occurs.
static std::vector<int64_t> placesOf(const mla_tensor &tensor) {
  std::vector<int64_t> places = {int64_t(tensor.byte_offset / 4)};
  for (int i = 0; i < tensor.rank; ++i) {
    std::vector<int64_t> all;
    for (int64_t place : places)
      for (int64_t j = 0; j < tensor.shape[i]; ++j)
        all.push_back(place + j * tensor.strides[i]);
    places = all;
  }
  return places;
}

TEST(Overlap, IsWhatEnumeratingFinds) {
  std::mt19937 random(7);
  auto below = [&](int64_t end) { return int64_t(random() % end); };
  std::map<std::string, int> answers;
  for (int i = 0; i < 4000; ++i) {
    Call<mla_copy_params> call;
    Operand buffer(MLA_DTYPE_F32, {600});
    std::vector<int64_t> shape(1 + below(4));
    for (int64_t &size : shape)
      size = 1 + below(4);
    for (auto field : {&mla_copy_params::dst, &mla_copy_params::src}) {
      call.add(field, MLA_DTYPE_F32, shape);
      mla_tensor &tensor = call[field];
      tensor.data = buffer.tensor.data;
      tensor.byte_offset = 4 * uint64_t(below(40));
      for (size_t j = 0; j < shape.size(); ++j)
        tensor.strides[j] = 1 + below(j % 2 ? 8 : 30);
    }
    auto to = placesOf(call[&mla_copy_params::dst]),
         from = placesOf(call[&mla_copy_params::src]);
    std::set<int64_t> distinct(to.begin(), to.end());
    bool meets = std::any_of(from.begin(), from.end(), [&](int64_t place) {
      return distinct.count(place) != 0;
    });
    std::string expected = distinct.size() != to.size() ? "distinct"
                           : meets && from != to        ? "overlap"
                                                        : "OK";
    std::string got = answer(mla_copy, call.p);
    EXPECT_NE(got.find(expected), std::string::npos) << got << i;
    ++answers[expected];
  }
  EXPECT_GT(answers["distinct"], 100);
  EXPECT_GT(answers["overlap"], 100);
  EXPECT_GT(answers["OK"], 100);
}

TEST(Overlap, TheQueryIsNotItsOwnPart) {
  auto call = validAppend();
  mla_tensor &query = call[&Append::query], &qPe = call[&Append::q_pe];
  qPe.data = query.data;
  qPe.byte_offset = 512 * 4;
  qPe.strides[0] = query.strides[0];
  qPe.strides[1] = query.strides[1];
  EXPECT_EQ(answer(mla_append, call.p),
            "INVALID_ARGUMENT: mla_append: query: expected memory apart from "
            "the other arguments, got an overlap with q_pe");
  // Absent is how to say that.
  call.p.q_pe = nullptr;
  EXPECT_EQ(answer(mla_append, call.p), "OK");
  EXPECT_EQ(answer(mla_append, call.p, MLA_MODE_PLAN), "OK");
}

TEST(Overlap, OutputsAreApart) {
  auto call = validAppend();
  call[&Append::k_pe_out].data = call[&Append::k_pe].data;
  EXPECT_EQ(answer(mla_append, call.p),
            "INVALID_ARGUMENT: mla_append: k_pe_out: expected memory apart "
            "from the other arguments, got an overlap with k_pe");
  call[&Append::k_pe_out].data = call[&Append::cache_pe].data;
  EXPECT_EQ(answer(mla_append, call.p),
            "INVALID_ARGUMENT: mla_append: k_pe_out: expected memory apart "
            "from the other arguments, got an overlap with cache_pe");
}

TEST(Overlap, ShiftedCopiesAreRefused) {
  auto call = validCopy();
  Operand buffer(MLA_DTYPE_F32, {64 + 64});
  call[&mla_copy_params::src].data = buffer.tensor.data;
  call[&mla_copy_params::dst].data = buffer.tensor.data;
  EXPECT_EQ(answer(mla_copy, call.p), "OK"); // Onto itself.
  call[&mla_copy_params::dst].byte_offset = 4;
  EXPECT_EQ(answer(mla_copy, call.p),
            "INVALID_ARGUMENT: mla_copy: dst: expected memory apart from the "
            "other arguments, got an overlap with src");
  call[&mla_copy_params::dst].byte_offset = 60 * 4;
  EXPECT_EQ(answer(mla_copy, call.p), "OK");
}

TEST(Overlap, RopeWorksInPlaceButNotTransposed) {
  auto call = validRope();
  mla_tensor &x = call[&mla_rope_params::x], &y = call[&mla_rope_params::y];
  y.data = x.data;
  EXPECT_EQ(answer(mla_rope, call.p, MLA_MODE_RUN), "OK");
  y.byte_offset = 4 * 64;
  EXPECT_EQ(answer(mla_rope, call.p)
                .rfind("INVALID_ARGUMENT: mla_rope: y: "
                       "expected memory apart",
                       0),
            0u);
}
