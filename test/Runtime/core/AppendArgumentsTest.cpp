//===- AppendArgumentsTest.cpp - The rules of mla_append's arguments ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

using P = mla_append_params;
static const std::string invalidAppend = "INVALID_ARGUMENT: mla_append: ";

static std::string appendWith(void (*change)(Call<P> &)) {
  auto call = validAppend();
  change(call);
  return answer(mla_append, call.p);
}

TEST(AppendArguments, AreValid) {
  EXPECT_EQ(appendWith([](Call<P> &) {}), "OK");
  auto call = validAppend();
  EXPECT_EQ(answer(mla_append, call.p, MLA_MODE_RUN), "OK");
}

TEST(AppendArguments, DimsAgree) {
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::k_pe, 1, 32); }),
            invalidAppend +
                "k_pe: expected shape [T, R] = [4, 64], got [4, 32]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::k_pe, 0, 5); }),
            invalidAppend +
                "k_pe: expected shape [T, R] = [4, 64], got [5, 64]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::query, 2, 512); }),
            invalidAppend +
                "query: expected shape [T, H, D+R] = [4, 2, 576], got "
                "[4, 2, 512]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::cache_latent, 2, 256); }),
            invalidAppend + "cache_latent: expected shape [pages, P, L] = "
                            "[6, 8, 512], got [6, 8, 256]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::cache_pe, 1, 4); }),
            invalidAppend +
                "cache_pe: expected shape [pages, P, R] = [6, 8, 64], "
                "got [6, 4, 64]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::cu_q, 0, 0); }),
            invalidAppend + "cu_q: expected shape [B+1] = [1+?], got [0]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.resize(&P::cos_sin, 1, 32); }),
            invalidAppend +
                "cos_sin: expected shape [max_pos, R] = [32, 64], got "
                "[32, 32]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c[&P::c_kv].rank = 1; }),
            invalidAppend + "c_kv: expected shape [T, L] = [?, ?], got [4]");
}

TEST(AppendArguments, DTypes) {
  EXPECT_EQ(
      appendWith([](Call<P> &c) { c.add(&P::c_kv, MLA_DTYPE_I32, {4, 512}); }),
      invalidAppend + "c_kv: expected dtype f32, f16 or bf16, got i32");
  EXPECT_EQ(
      appendWith([](Call<P> &c) { c.add(&P::slots, MLA_DTYPE_I32, {4}); }),
      invalidAppend + "slots: expected dtype i64, got i32");
  EXPECT_EQ(
      appendWith([](Call<P> &c) { c.add(&P::positions, MLA_DTYPE_F32, {4}); }),
      invalidAppend + "positions: expected dtype i32 or i64, got f32");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.add(&P::query, MLA_DTYPE_F8E5M2, {4, 2, 576});
            }),
            invalidAppend +
                "query: expected dtype f32, f16, bf16 or f8E4M3FN, got "
                "f8E5M2");
}

TEST(AppendArguments, TheCacheAndItsRowsComeTogether) {
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.slots = nullptr; }),
            invalidAppend + "slots: expected a tensor because cache_latent is "
                            "present, got null");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.c_kv = nullptr; }),
            invalidAppend + "c_kv: expected a tensor because cache_latent is "
                            "present, got null");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.k_pe = c.p.k_pe_out = nullptr; }),
            invalidAppend +
                "k_pe: expected a tensor because R > 0 and cache_latent "
                "is present, got null");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.cache_pe = nullptr; }),
            invalidAppend + "cache_pe: expected a tensor because R > 0 and "
                            "cache_latent is present, got null");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.cache_latent = nullptr; }),
            invalidAppend +
                "cache_pe: expected null without cache_latent, got a "
                "tensor of shape [6, 8, 64]");
  EXPECT_EQ(
      appendWith([](Call<P> &c) { c.p.cache_latent = c.p.cache_pe = nullptr; }),
      invalidAppend + "c_kv: expected null without cache_latent, got a tensor "
                      "of shape [4, 512]");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.resize(&P::cache_latent, 1, 0);
              c.resize(&P::cache_pe, 1, 0);
            }),
            invalidAppend + "cache_latent: expected P > 0, got 0");
}

TEST(AppendArguments, TheQueryAndItsPartsComeTogether) {
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.query = nullptr; }),
            invalidAppend +
                "q_nope: expected null without query, got a tensor of "
                "shape [4, 2, 512]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.query = c.p.q_nope = nullptr; }),
            invalidAppend +
                "q_pe: expected null without query, got a tensor of "
                "shape [4, 2, 64]");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.p.query = c.p.q_nope = c.p.q_pe = c.p.k_pe_out = nullptr;
            }),
            "OK");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              P p = {};
              p.struct_size = sizeof(P);
              c.p = p;
            }),
            invalidAppend + "query: expected one of query, k_pe_out and "
                            "cache_latent, got none");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              const mla_tensor *kPeOut = c.p.k_pe_out;
              c.p = P{};
              c.p.struct_size = sizeof(P);
              c.p.k_pe_out = kPeOut;
            }),
            invalidAppend +
                "k_pe: expected a tensor because k_pe_out is present, "
                "got null");
}

TEST(AppendArguments, AQueryMayKeepItsPositionalColumns) {
  EXPECT_EQ(appendWith([](Call<P> &c) {
              const mla_tensor *query = c.p.query, *qNope = c.p.q_nope;
              c.p = P{};
              c.p.struct_size = sizeof(P);
              c.p.query = query;
              c.p.q_nope = qNope;
            }),
            "OK");
}

TEST(AppendArguments, Rope) {
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.rope_style = 3; }),
            invalidAppend + "rope_style: expected MLA_ROPE_INTERLEAVED, "
                            "MLA_ROPE_HALF or 0, got 3");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.rope_head_dim = 0; }),
            invalidAppend +
                "rope_head_dim: expected an even R > 0 to rotate, got 0");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.rope_head_dim = 63; }),
            invalidAppend +
                "rope_head_dim: expected an even R > 0 to rotate, got "
                "63");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.rope_head_dim = 32; }),
            invalidAppend +
                "k_pe: expected shape [T, R] = [4, 32], got [4, 64]");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.cos_sin = nullptr; }),
            invalidAppend +
                "cos_sin: expected a tensor because rope_style is set, "
                "got null");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.positions = nullptr; }),
            invalidAppend +
                "positions: expected a tensor because rope_style is set, "
                "got null");
  // Switched off, the table is whatever it was.
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.p.rope_style = 0;
              c.resize(&P::cos_sin, 1, 30);
            }),
            "OK");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.p.rope_style = 0;
              c.p.cos_sin = c.p.positions = nullptr;
              c.p.rope_head_dim = 0;
            }),
            "OK");
}

TEST(AppendArguments, Enumerations) {
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.rounding = 3; }),
            invalidAppend + "rounding: expected MLA_ROUNDING_DIRECT, "
                            "MLA_ROUNDING_THROUGH_INPUT_TYPE or 0, got 3");
  EXPECT_EQ(appendWith([](Call<P> &c) { c.p.phase = -1; }),
            invalidAppend +
                "phase: expected MLA_PHASE_CONTEXT, MLA_PHASE_GENERATION "
                "or 0, got -1");
}

// R = 0: no pe argument at all.
TEST(AppendArguments, ZeroWidth) {
  auto call = validAppend();
  call.p.rope_style = call.p.rope_head_dim = 0;
  call.p.k_pe = call.p.q_pe = call.p.k_pe_out = call.p.cache_pe = nullptr;
  call.p.cos_sin = call.p.positions = nullptr;
  call.resize(&P::query, 2, 512);
  EXPECT_EQ(answer(mla_append, call.p, MLA_MODE_RUN), "OK");
  // The table of a rope of width 0 does not count.
  call.add(&P::cos_sin, MLA_DTYPE_F32, {32, 64});
  EXPECT_EQ(answer(mla_append, call.p), "OK");
  call.resize(&P::query, 2, 576);
  EXPECT_EQ(answer(mla_append, call.p),
            invalidAppend +
                "query: expected shape [T, H, D+R] = [4, 2, 512], got "
                "[4, 2, 576]");
  call.resize(&P::query, 2, 512);
  call.add(&P::k_pe, MLA_DTYPE_F32, {4, 0});
  EXPECT_EQ(answer(mla_append, call.p),
            invalidAppend +
                "k_pe: expected null because R = 0, got a tensor of "
                "shape [4, 0]");
}

TEST(AppendArguments, NoTokensAndNoPages) {
  auto call = validAppend();
  for (auto field : {&P::c_kv, &P::k_pe, &P::q_nope, &P::q_pe, &P::slots,
                     &P::positions, &P::query, &P::k_pe_out})
    call.resize(field, 0, 0);
  call.resize(&P::cu_q, 0, 1);
  call.resize(&P::cache_latent, 0, 0);
  call.resize(&P::cache_pe, 0, 0);
  for (int32_t mode : {MLA_MODE_CHECK, MLA_MODE_PLAN, MLA_MODE_RUN})
    EXPECT_EQ(answer(mla_append, call.p, mode), "OK");
}

// In place: nothing says D, so the query's width minus R is.
TEST(AppendArguments, RotatesInPlace) {
  auto call = validAppend();
  P p = {};
  p.struct_size = sizeof(P);
  p.query = call.p.query;
  p.cos_sin = call.p.cos_sin;
  p.positions = call.p.positions;
  p.rope_style = MLA_ROPE_HALF;
  p.rope_head_dim = 64;
  EXPECT_EQ(answer(mla_append, p, MLA_MODE_RUN), "OK");
  call.resize(&P::query, 2, 32);
  p.query = call.p.query;
  EXPECT_EQ(answer(mla_append, p), invalidAppend +
                                       "query: expected shape [T, H, D+R] "
                                       "= [4, 2, 64+?], got [4, 2, 32]");
}

TEST(AppendArguments, Scales) {
  EXPECT_EQ(appendWith(
                [](Call<P> &c) { c.add(&P::latent_scale, MLA_DTYPE_F32, {}); }),
            invalidAppend +
                "latent_scale: expected null because cache_latent is "
                "f32, got a scale");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.add(&P::cache_latent, MLA_DTYPE_F8E4M3FN, {6, 8, 512});
            }),
            invalidAppend +
                "latent_scale: expected a scale because cache_latent is "
                "f8E4M3FN, got null");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.add(&P::cache_pe, MLA_DTYPE_F8E4M3FN, {6, 8, 64});
              c.add(&P::pe_scale, MLA_DTYPE_F32, {1});
            }),
            invalidAppend +
                "pe_scale: expected a scalar of rank 0, got shape [1]");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.p.query = c.p.q_nope = c.p.q_pe = nullptr;
              c.add(&P::query_scale, MLA_DTYPE_F32, {});
            }),
            invalidAppend +
                "query_scale: expected null without query, got a scale");
  EXPECT_EQ(appendWith([](Call<P> &c) {
              c.add(&P::query, MLA_DTYPE_F8E4M3FN, {4, 2, 576});
              c.add(&P::query_scale, MLA_DTYPE_F32, {});
              c.p.q_pe = nullptr;
            }),
            invalidAppend +
                "q_pe: expected a tensor to rotate because query is "
                "f8E4M3FN, got null");
}
