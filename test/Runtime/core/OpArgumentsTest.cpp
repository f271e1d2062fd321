//===- OpArgumentsTest.cpp - The other operations' own rules --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

#include <cmath>
#include <limits>

static const std::string invalid = "INVALID_ARGUMENT: ";

TEST(OpArguments, ValidCallsPassTheChecks) {
  EXPECT_EQ(answer(mla_slot_mapping, validSlotMapping().p), "OK");
  EXPECT_EQ(answer(mla_rope, validRope().p), "OK");
  EXPECT_EQ(answer(mla_absorb_q, validAbsorbQ().p), "OK");
  EXPECT_EQ(answer(mla_project_v, validProjectV().p), "OK");
  EXPECT_EQ(answer(mla_schedule, validSchedule().p), "OK");
  EXPECT_EQ(answer(mla_absorbed_attention, validAbsorbedAttention().p), "OK");
  EXPECT_EQ(answer(mla_merge_states, validMergeStates().p), "OK");
  EXPECT_EQ(answer(mla_copy, validCopy().p), "OK");
  EXPECT_EQ(answer(mla_fill, validFill().p), "OK");
}

/// A passed CHECK is a promise: RUN does not refuse. What a backend lacks, it
/// says in both.
template <typename P>
static void expectTheSame(mla_status (*op)(mla_context *, const P *),
                          const Call<P> &call) {
  std::string check = answer(op, call.p, MLA_MODE_CHECK);
  EXPECT_EQ(check, answer(op, call.p, MLA_MODE_RUN));
  EXPECT_TRUE(check == "OK" || check.rfind("UNIMPLEMENTED: mla_", 0) == 0)
      << check;
}

TEST(OpArguments, RunsWhatPassedTheCheck) {
  expectTheSame(mla_slot_mapping, validSlotMapping());
  expectTheSame(mla_rope, validRope());
  expectTheSame(mla_append, validAppend());
  expectTheSame(mla_absorb_q, validAbsorbQ());
  expectTheSame(mla_project_v, validProjectV());
  expectTheSame(mla_schedule, validSchedule());
  expectTheSame(mla_absorbed_attention, validAbsorbedAttention());
  expectTheSame(mla_expand_kv, validExpandKV());
  expectTheSame(mla_expanded_attention, validExpandedAttention());
  expectTheSame(mla_gather_kv, validGatherKV());
  expectTheSame(mla_merge_states, validMergeStates());
  expectTheSame(mla_copy, validCopy());
  expectTheSame(mla_fill, validFill());
}

TEST(OpArguments, SlotMapping) {
  using P = mla_slot_mapping_params;
  auto c = validSlotMapping();
  c.p.page_size = 0;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: page_size: expected a positive value, "
                      "got 0");
  // Products of two of these stay in i64.
  c.p.page_size = int64_t{INT32_MAX} + 1;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: page_size: expected at most "
                      "2147483647, got 2147483648");
  c.p.page_size = INT32_MAX;
  EXPECT_EQ(answer(mla_slot_mapping, c.p), "OK");
  c.p.page_size = 8;
  c.p.cp_size = c.p.cp_interleave = INT64_MAX;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cp_size: expected at most "
                      "2147483647, got 9223372036854775807");
  c.p.cp_size = INT32_MAX;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cp_interleave: expected at most "
                      "2147483647, got 9223372036854775807");
  c.p.cp_size = c.p.cp_interleave = 0;
  c.p.cp_rank = 1;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cp_rank: expected a rank in [0, 1), "
                      "got 1");
  c.p.cp_size = 2;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cp_interleave: expected a positive "
                      "value because cp_size is 2, got 0");
  c.p.cp_interleave = 1;
  EXPECT_EQ(answer(mla_slot_mapping, c.p, MLA_MODE_RUN), "OK");
  c.p.cp_interleave = -1;
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cp_interleave: expected a "
                      "non-negative value, got -1");
  c = validSlotMapping();
  c.resize(&P::cu_q, 0, 4);
  EXPECT_EQ(answer(mla_slot_mapping, c.p),
            invalid + "mla_slot_mapping: cu_q: expected shape [B+1] = [3], got "
                      "[4]");
}

/// What the data hold as i32 is no larger in an attribute: sums and products of
/// such numbers stay in i64.
TEST(OpArguments, NumbersOfPositionsFitI32) {
  const int64_t most = INT32_MAX;
  const std::string text = ": expected at most 2147483647, got 2147483648";
  auto gather = validGatherKV();
  gather.p.window_start = most;
  EXPECT_EQ(answer(mla_gather_kv, gather.p), "OK");
  gather.p.window_start = most + 1;
  EXPECT_EQ(answer(mla_gather_kv, gather.p),
            invalid + "mla_gather_kv: window_start" + text);
  gather.p.window_start = 0;
  gather.p.window_length = most + 1;
  EXPECT_EQ(answer(mla_gather_kv, gather.p),
            invalid + "mla_gather_kv: window_length" + text);
  auto expanded = validExpandedAttention();
  expanded.p.first_token = most + 1;
  EXPECT_EQ(answer(mla_expanded_attention, expanded.p),
            invalid + "mla_expanded_attention: first_token" + text);
  expanded.p.first_token = 0;
  expanded.p.window_start = most + 1;
  EXPECT_EQ(answer(mla_expanded_attention, expanded.p),
            invalid + "mla_expanded_attention: window_start" + text);
  expanded.p.window_start = 0;
  expanded.p.window_length = most + 1;
  EXPECT_EQ(answer(mla_expanded_attention, expanded.p),
            invalid + "mla_expanded_attention: window_length" + text);
  auto schedule = validSchedule();
  schedule.p.num_heads = most + 1;
  EXPECT_EQ(answer(mla_schedule, schedule.p),
            invalid + "mla_schedule: num_heads" + text);
  schedule.p.num_heads = 1;
  schedule.p.page_size = most + 1;
  EXPECT_EQ(answer(mla_schedule, schedule.p),
            invalid + "mla_schedule: page_size" + text);
}

TEST(OpArguments, SizesFitI32) {
  // They take no memory where the elements repeat, or where there are none.
  auto call = validAbsorbQ();
  mla_tensor &weight = call[&mla_absorb_q_params::w_uk];
  weight.shape[1] = int64_t(1) << 31;
  weight.strides[1] = 0;
  EXPECT_EQ(answer(mla_absorb_q, call.p)
                .rfind(invalid + "mla_absorb_q: w_uk: expected sizes up to "
                                 "2147483647, got shape [",
                       0),
            0u);
  auto schedule = validSchedule();
  mla_tensor &lens = schedule[&mla_schedule_params::kv_lens];
  lens.shape[0] = int64_t(1) << 62;
  lens.strides[0] = 0;
  EXPECT_EQ(answer(mla_schedule, schedule.p),
            invalid + "mla_schedule: kv_lens: expected sizes up to 2147483647, "
                      "got shape [4611686018427387904]");
}

TEST(OpArguments, Rope) {
  using P = mla_rope_params;
  auto c = validRope();
  c.add(&P::y, MLA_DTYPE_BF16, {4, 2, 64});
  EXPECT_EQ(answer(mla_rope, c.p), invalid + "mla_rope: y: expected dtype f32 "
                                             "or f32 as x has, got bf16");
  c.add(&P::x, MLA_DTYPE_F16, {4, 2, 64});
  EXPECT_EQ(answer(mla_rope, c.p), invalid + "mla_rope: y: expected dtype f32 "
                                             "or f16 as x has, got bf16");
  // Any number of dims in between, the same on both sides.
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{4, 64}, {4, 1, 2, 3, 64}, {4, 1, 1, 2, 3, 64}}) {
    c = validRope();
    c.add(&P::x, MLA_DTYPE_F32, shape);
    EXPECT_EQ(
        answer(mla_rope, c.p)
            .rfind(invalid + "mla_rope: y: expected shape [T, *, R] = ", 0),
        0u);
    c.add(&P::y, MLA_DTYPE_F32, shape);
    EXPECT_EQ(answer(mla_rope, c.p, MLA_MODE_RUN), "OK");
  }
  c = validRope();
  c.add(&P::x, MLA_DTYPE_F32, {64});
  EXPECT_EQ(answer(mla_rope, c.p),
            invalid + "mla_rope: x: expected shape [T, *, R] = [?, *, ?], got "
                      "[64]");
  c = validRope();
  c.add(&P::y, MLA_DTYPE_F32, {4, 3, 64});
  EXPECT_EQ(answer(mla_rope, c.p),
            invalid + "mla_rope: y: expected shape [T, *, R] = [?, 2, ?], got "
                      "[4, 3, 64]");
  c = validRope();
  c.p.positions = nullptr;
  EXPECT_EQ(answer(mla_rope, c.p), invalid + "mla_rope: positions: expected a "
                                             "tensor because rope_style is "
                                             "set, got null");
  for (auto field : {&P::x, &P::y, &P::cos_sin})
    c.resize(field, validRope()[field].rank - 1, 7);
  c.add(&P::positions, MLA_DTYPE_I64, {4});
  EXPECT_EQ(answer(mla_rope, c.p),
            invalid + "mla_rope: x: expected an even R > 0 to rotate, got 7");
  c.p.rope_style = 0;
  EXPECT_EQ(answer(mla_rope, c.p, MLA_MODE_RUN), "OK");
}

TEST(OpArguments, Schedule) {
  auto c = validSchedule();
  c.resize(&mla_schedule_params::schedule, 0, 4101);
  EXPECT_EQ(answer(mla_schedule, c.p),
            invalid + "mla_schedule: schedule: expected at least "
                      "MLA_SCHEDULE_SIZE(B) = 4102 elements for B = 2, got "
                      "4101");
  c = validSchedule();
  c.p.num_heads = -2;
  EXPECT_EQ(answer(mla_schedule, c.p),
            invalid + "mla_schedule: num_heads: expected a positive value, got "
                      "-2");
}

TEST(OpArguments, AbsorbedAttention) {
  using P = mla_absorbed_attention_params;
  const std::string prefix = invalid + "mla_absorbed_attention: ";
  auto with = [](void (*change)(Call<P> &)) {
    auto call = validAbsorbedAttention();
    change(call);
    return answer(mla_absorbed_attention, call.p);
  };
  EXPECT_EQ(with([](Call<P> &c) { c.p.softmax_scale = 0; }),
            prefix + "softmax_scale: expected a value, got 0");
  for (double scale : {-1.0, 1e-50, 1e39, HUGE_VAL}) {
    auto c = validAbsorbedAttention();
    c.p.softmax_scale = scale;
    char text[64];
    std::snprintf(text, sizeof(text), "got %g", scale);
    EXPECT_EQ(answer(mla_absorbed_attention, c.p),
              prefix + "softmax_scale: expected a finite f32 > 0, " + text);
  }
  EXPECT_EQ(with([](Call<P> &c) { c.p.cache_latent = nullptr; }),
            prefix + "cache_latent: expected a tensor, got null");
  // Without cache_pe the query has no pe columns.
  EXPECT_EQ(with([](Call<P> &c) { c.p.cache_pe = nullptr; }),
            prefix + "cache_latent: expected shape [pages, P, L] = "
                     "[6, 8, 576], got [6, 8, 512]");
  EXPECT_EQ(with([](Call<P> &c) {
              c.p.cache_pe = nullptr;
              c.resize(&P::query, 2, 512);
            }),
            "OK");
  EXPECT_EQ(with([](Call<P> &c) { c.resize(&P::lse, 1, 1); }),
            prefix + "lse: expected shape [T, H] = [4, 2], got [4, 1]");
  EXPECT_EQ(with([](Call<P> &c) { c.add(&P::schedule, MLA_DTYPE_I32, {9}); }),
            prefix + "schedule: expected at least MLA_SCHEDULE_SIZE(B) = 4102 "
                     "elements for B = 2, got 9");
  EXPECT_EQ(with([](Call<P> &c) {
              c.add(&P::indices, MLA_DTYPE_I32, {4, 0});
              c.add(&P::kv_bounds, MLA_DTYPE_I32, {4});
            }),
            "OK");
  EXPECT_EQ(with([](Call<P> &c) { c.p.max_kv = -1; }),
            prefix + "max_kv: expected a non-negative value, got -1");
  EXPECT_EQ(with([](Call<P> &c) {
              for (auto field : {&P::query, &P::o, &P::lse})
                c.resize(field, 1, 0);
              c.resize(&P::sinks, 0, 0);
            }),
            prefix + "query: expected H > 0, got 0");
  EXPECT_EQ(with([](Call<P> &c) {
              c.add(&P::query, MLA_DTYPE_F8E4M3FN, {4, 2, 576});
            }),
            prefix + "query_scale: expected a scale because query is f8E4M3FN, "
                     "got null");
  EXPECT_EQ(with([](Call<P> &c) { c[&P::o].data = c[&P::query].data; }),
            prefix + "o: expected memory apart from the other arguments, got "
                     "an overlap with query");
}

/// An fp8 query and cache with the scales of two of the three: the third is
/// missed, by name; no scale stands in for another.
template <typename P>
void expectEachScaleMissed(Call<P> (*valid)(),
                           mla_status (*op)(mla_context *, const P *),
                           const std::string &name) {
  const mla_tensor *P::*const parts[] = {&P::query, &P::cache_latent,
                                         &P::cache_pe};
  const mla_tensor *P::*const scales[] = {&P::query_scale, &P::latent_scale,
                                          &P::pe_scale};
  const char *const partNames[] = {"query", "cache_latent", "cache_pe"};
  const char *const scaleNames[] = {"query_scale", "latent_scale", "pe_scale"};
  for (int missing = 0; missing < 3; ++missing) {
    Call<P> c = valid();
    for (int i = 0; i < 3; ++i) {
      const mla_tensor &part = c[parts[i]];
      c.add(parts[i], MLA_DTYPE_F8E4M3FN,
            {part.shape[0], part.shape[1], part.shape[2]});
      if (i != missing)
        c.add(scales[i], MLA_DTYPE_F32, {});
    }
    EXPECT_EQ(answer(op, c.p), invalid + name + ": " + scaleNames[missing] +
                                   ": expected a scale because " +
                                   partNames[missing] +
                                   " is f8E4M3FN, got null");
  }
}

TEST(OpArguments, NoScaleStandsInForAnother) {
  expectEachScaleMissed(validAppend, mla_append, "mla_append");
  expectEachScaleMissed(validAbsorbedAttention, mla_absorbed_attention,
                        "mla_absorbed_attention");
}

TEST(OpArguments, ExpandedAttention) {
  using P = mla_expanded_attention_params;
  const std::string prefix = invalid + "mla_expanded_attention: ";
  auto with = [](void (*change)(Call<P> &)) {
    auto call = validExpandedAttention();
    change(call);
    return answer(mla_expanded_attention, call.p);
  };
  EXPECT_EQ(with([](Call<P> &c) { c.p.causal = 2; }),
            prefix + "causal: expected 0 or 1, got 2");
  EXPECT_EQ(with([](Call<P> &c) { c.p.cu_k = nullptr; }),
            prefix + "cu_k: expected a tensor without window_length, got null");
  EXPECT_EQ(with([](Call<P> &c) { c.p.window_length = 3; }),
            prefix + "cu_k: expected null because window_length is set, got a "
                     "tensor of shape [3]");
  EXPECT_EQ(with([](Call<P> &c) { c.p.window_start = 3; }),
            prefix + "window_start: expected 0 without window_length, got 3");
  EXPECT_EQ(with([](Call<P> &c) {
              c.p.cu_k = nullptr;
              c.p.window_length = 3;
            }),
            prefix + "kv_lens: expected a tensor because window_length is set, "
                     "got null");
  EXPECT_EQ(with([](Call<P> &c) {
              c.p.cu_k = nullptr;
              c.p.window_length = 3;
              c.add(&P::kv_lens, MLA_DTYPE_I32, {2});
            }),
            prefix + "k_nope: expected S = B * window_length = 2 * 3 rows, got "
                     "7");
  EXPECT_EQ(with([](Call<P> &c) {
              c.p.cu_k = nullptr;
              c.p.window_length = INT32_MAX;
              c.add(&P::kv_lens, MLA_DTYPE_I32, {2});
            }),
            prefix + "k_nope: expected S = B * window_length = 2 * "
                     "2147483647 rows, got 7");
  EXPECT_EQ(with([](Call<P> &c) { c.add(&P::kv_lens, MLA_DTYPE_I32, {2}); }),
            prefix + "kv_lens: expected null without window_length, got a "
                     "tensor of shape [2]");
  EXPECT_EQ(with([](Call<P> &c) { c.p.k_pe = nullptr; }),
            prefix + "k_nope: expected shape [S, H, N] = [7, 2, 192], got "
                     "[7, 2, 128]");
}

TEST(OpArguments, ExpandKV) {
  using P = mla_expand_kv_params;
  auto c = validExpandKV();
  c.resize(&P::kv, 2, 255);
  EXPECT_EQ(answer(mla_expand_kv, c.p),
            invalid + "mla_expand_kv: kv: expected shape [S, H, N+V] = "
                      "[7, 2, 256], got [7, 2, 255]");
}

TEST(OpArguments, GatherKV) {
  const std::string prefix = invalid + "mla_gather_kv: ";
  auto c = validGatherKV();
  c.p.window_length = 4;
  EXPECT_EQ(answer(mla_gather_kv, c.p),
            prefix + "c_kv: expected S = B * window_length = 2 * 4 rows, got "
                     "6");
  c.p.window_length = 0;
  EXPECT_EQ(answer(mla_gather_kv, c.p),
            prefix + "window_length: expected a positive value, got 0");
  c = validGatherKV();
  c.p.k_pe = nullptr;
  EXPECT_EQ(answer(mla_gather_kv, c.p),
            prefix + "k_pe: expected a tensor because cache_pe is present, got "
                     "null");
  c = validGatherKV();
  c.p.cache_pe = nullptr;
  EXPECT_EQ(answer(mla_gather_kv, c.p),
            prefix + "k_pe: expected null without cache_pe, got a tensor of "
                     "shape [6, 64]");
}

TEST(OpArguments, MergeStates) {
  using P = mla_merge_states_params;
  auto c = validMergeStates();
  c.add(&P::o, MLA_DTYPE_BF16, {4, 2, 128});
  EXPECT_EQ(answer(mla_merge_states, c.p),
            invalid + "mla_merge_states: o: expected dtype f32, got bf16");
  c = validMergeStates();
  c.resize(&P::o_states, 0, 0);
  EXPECT_EQ(answer(mla_merge_states, c.p),
            invalid + "mla_merge_states: lse_states: expected shape [S, T, H] "
                      "= [0, 4, 2], got [3, 4, 2]");
  c.resize(&P::lse_states, 0, 0);
  EXPECT_EQ(answer(mla_merge_states, c.p, MLA_MODE_RUN), "OK");
}

TEST(OpArguments, CopyAndFill) {
  auto c = validCopy();
  c.add(&mla_copy_params::dst, MLA_DTYPE_I32, {4, 3, 5});
  EXPECT_EQ(answer(mla_copy, c.p),
            invalid + "mla_copy: dst: expected dtype f32, f16 or bf16 because "
                      "src is f32, got i32");
  c.add(&mla_copy_params::dst, MLA_DTYPE_BF16, {4, 3, 5});
  EXPECT_EQ(answer(mla_copy, c.p, MLA_MODE_RUN), "OK");
  c.add(&mla_copy_params::src, MLA_DTYPE_F8E4M3FN, {4, 3, 5});
  EXPECT_EQ(answer(mla_copy, c.p),
            invalid + "mla_copy: dst: expected dtype f8E4M3FN because src is "
                      "f8E4M3FN, got bf16");
  c = validCopy();
  c.resize(&mla_copy_params::dst, 2, 4);
  EXPECT_EQ(answer(mla_copy, c.p), invalid + "mla_copy: dst: expected shape "
                                             "[*] = [4, 3, 5], got [4, 3, 4]");
  auto f = validFill();
  f.p.value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(answer(mla_fill, f.p), "OK");
  f.add(&mla_fill_params::dst, MLA_DTYPE_I32, {4});
  EXPECT_EQ(answer(mla_fill, f.p),
            invalid + "mla_fill: value: expected a number to fill i32 with, "
                      "got NaN");
}
