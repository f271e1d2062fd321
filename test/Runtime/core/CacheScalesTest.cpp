//===- CacheScalesTest.cpp - The formats of a quantized cache -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

namespace {

/// Gives the cache of a valid call (L = 512, R = 64) block scales.
template <typename P> void setBlockScales(Call<P> &c) {
  c.add(&P::cache_latent, MLA_DTYPE_F8E4M3FN, {6, 8, 512});
  c.add(&P::cache_pe, MLA_DTYPE_BF16, {6, 8, 64});
  c.add(&P::cache_scales, MLA_DTYPE_F32, {6, 8, 4});
}

/// The three operations that take a cache, by one set of questions.
template <typename P> struct Cache {
  Call<P> (*valid)();
  mla_status (*op)(mla_context *, const P *);
  std::string name;

  /// The answer to a call with block scales after `change`.
  std::string with(void (*change)(Call<P> &)) const {
    Call<P> c = valid();
    setBlockScales(c);
    change(c);
    return answer(op, c.p);
  }

  /// What a block-scaled cache is made of, and what each slip is answered.
  void expectTheRules() const {
    const std::string invalid = "INVALID_ARGUMENT: " + name + ": ";
    const std::string because = " because cache_scales is present, got ";
    EXPECT_EQ(with([](Call<P> &) {}), "OK");
    EXPECT_EQ(with([](Call<P> &c) {
                c.add(&P::cache_pe, MLA_DTYPE_F16, {6, 8, 64});
              }),
              "OK");
    EXPECT_EQ(with([](Call<P> &c) {
                c.add(&P::cache_latent, MLA_DTYPE_BF16, {6, 8, 512});
              }),
              invalid + "cache_latent: expected dtype f8E4M3FN" + because +
                  "bf16");
    for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F8E4M3FN}) {
      Call<P> c = valid();
      setBlockScales(c);
      c.add(&P::cache_pe, dtype, {6, 8, 64});
      EXPECT_EQ(answer(op, c.p), invalid +
                                     "cache_pe: expected dtype f16 or bf16" +
                                     because + mla_dtype_name(dtype));
    }
    EXPECT_EQ(
        with([](Call<P> &c) { c.add(&P::latent_scale, MLA_DTYPE_F32, {}); }),
        invalid + "latent_scale: expected null" + because +
            "a tensor of shape []");
    EXPECT_EQ(with([](Call<P> &c) { c.add(&P::pe_scale, MLA_DTYPE_F32, {}); }),
              invalid + "pe_scale: expected null" + because +
                  "a tensor of shape []");
    EXPECT_EQ(with([](Call<P> &c) {
                c.add(&P::cache_scales, MLA_DTYPE_F16, {6, 8, 4});
              }),
              invalid + "cache_scales: expected dtype f32, got f16");
    EXPECT_EQ(with([](Call<P> &c) {
                c.add(&P::cache_scales, MLA_DTYPE_F32, {6, 8, 5});
              }),
              invalid + "cache_scales: expected shape [pages, P, L/128] = "
                        "[6, 8, 4], got [6, 8, 5]");
    EXPECT_EQ(with([](Call<P> &c) {
                c.add(&P::cache_scales, MLA_DTYPE_F32, {6, 4});
              }),
              invalid + "cache_scales: expected shape [pages, P, L/128] = "
                        "[?, ?, ?], got [6, 4]");
  }

  /// An fp8 part has its own scale, whatever the other part is.
  void expectPartsOfTheirOwn() const {
    const std::string invalid = "INVALID_ARGUMENT: " + name + ": ";
    Call<P> c = valid();
    c.add(&P::cache_latent, MLA_DTYPE_F8E4M3FN, {6, 8, 512});
    c.add(&P::cache_pe, MLA_DTYPE_BF16, {6, 8, 64});
    c.add(&P::latent_scale, MLA_DTYPE_F32, {});
    EXPECT_EQ(answer(op, c.p), "OK");
    c.add(&P::pe_scale, MLA_DTYPE_F32, {});
    EXPECT_EQ(answer(op, c.p), invalid + "pe_scale: expected null because "
                                         "cache_pe is bf16, got a scale");
    c.add(&P::cache_pe, MLA_DTYPE_F8E4M3FN, {6, 8, 64});
    EXPECT_EQ(answer(op, c.p), "OK");
    c.add(&P::cache_latent, MLA_DTYPE_BF16, {6, 8, 512});
    EXPECT_EQ(answer(op, c.p), invalid + "latent_scale: expected null because "
                                         "cache_latent is bf16, got a scale");
    c.p.latent_scale = nullptr;
    EXPECT_EQ(answer(op, c.p), "OK");
  }
};

const Cache<mla_append_params> append{validAppend, mla_append, "mla_append"};
const Cache<mla_absorbed_attention_params> attention{
    validAbsorbedAttention, mla_absorbed_attention, "mla_absorbed_attention"};
const Cache<mla_gather_kv_params> gather{validGatherKV, mla_gather_kv,
                                         "mla_gather_kv"};

TEST(CacheScales, ABlockScaledCacheHasNoOtherScale) {
  append.expectTheRules();
  attention.expectTheRules();
  gather.expectTheRules();
}

TEST(CacheScales, EachPartHasItsOwnType) {
  append.expectPartsOfTheirOwn();
  attention.expectPartsOfTheirOwn();
  gather.expectPartsOfTheirOwn();
}

TEST(CacheScales, BlocksAreWhole) {
  // 448 = 3.5 blocks, whichever way that is rounded.
  for (int64_t blocks : {3, 4}) {
    auto c = validGatherKV();
    setBlockScales(c);
    c.resize(&mla_gather_kv_params::cache_latent, 2, 448);
    c.resize(&mla_gather_kv_params::c_kv, 1, 448);
    c.resize(&mla_gather_kv_params::cache_scales, 2, blocks);
    EXPECT_EQ(answer(mla_gather_kv, c.p),
              "INVALID_ARGUMENT: mla_gather_kv: cache_scales: expected L to be "
              "a multiple of 128, got 448");
  }
}

TEST(CacheScales, AnFp8QueryHasNoBlockScaledCache) {
  auto c = validAbsorbedAttention();
  setBlockScales(c);
  c.add(&mla_absorbed_attention_params::query, MLA_DTYPE_F8E4M3FN, {4, 2, 576});
  c.add(&mla_absorbed_attention_params::query_scale, MLA_DTYPE_F32, {});
  EXPECT_EQ(answer(mla_absorbed_attention, c.p),
            "INVALID_ARGUMENT: mla_absorbed_attention: query: expected dtype "
            "f32, f16 or bf16 because cache_scales is present, got f8E4M3FN");
}

TEST(CacheScales, NoScalesWithoutACache) {
  auto c = validAppend();
  setBlockScales(c);
  c.p.cache_latent = c.p.cache_pe = nullptr;
  EXPECT_EQ(answer(mla_append, c.p),
            "INVALID_ARGUMENT: mla_append: cache_scales: expected null without "
            "cache_latent, got a tensor of shape [6, 8, 4]");
}

/// Makes `tensor`, a dense part of a cache of 8 rows a page, the columns of a
/// pool from byte `offset` of its rows of 656 bytes.
void placeInPool(mla_tensor &tensor, Operand &pool, uint64_t offset) {
  int64_t row = 656 * 8 / mla_dtype_bits(tensor.dtype);
  tensor.data = pool.tensor.data;
  tensor.byte_offset = offset;
  tensor.strides[0] = 8 * row;
  tensor.strides[1] = row;
}

TEST(CacheScales, OnePoolHoldsThreeInterleavedViews) {
  using P = mla_append_params;
  auto c = validAppend();
  setBlockScales(c);
  Operand pool(MLA_DTYPE_I8, {6, 8, 656});
  placeInPool(c[&P::cache_latent], pool, 0);
  placeInPool(c[&P::cache_scales], pool, 512);
  placeInPool(c[&P::cache_pe], pool, 528);
  EXPECT_EQ(answer(mla_append, c.p), "OK");
  EXPECT_EQ(answer(mla_append, c.p, MLA_MODE_RUN), "OK");
  placeInPool(c[&P::cache_scales], pool, 508);
  EXPECT_EQ(answer(mla_append, c.p),
            "INVALID_ARGUMENT: mla_append: cache_latent: expected memory apart "
            "from the other arguments, got an overlap with cache_scales");
  placeInPool(c[&P::cache_scales], pool, 516);
  EXPECT_EQ(answer(mla_append, c.p),
            "INVALID_ARGUMENT: mla_append: cache_pe: expected memory apart "
            "from the other arguments, got an overlap with cache_scales");
}

} // namespace
