//===- append_test.cpp - mla_append ---------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendCase.h"

using namespace mla;
using namespace mla::test;
using reference::RopeStyle;

namespace {

class AppendTest : public OpTest {
protected:
  void run(const AppendCase &c) {
    mla_append_params params = c.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  /// Runs the case and compares all that it writes, and all that it doesn't.
  void compare(const AppendCase &c) {
    reference::AppendState expected = c.state(), wrong = expected;
    reference::append(c.inputs(), c.referenceStyle(), expected);
    reference::append(c.inputs(), wrongStyle(c), wrong);
    std::vector<Canary> canaries;
    for (const TestTensor *tensor : {&c.query, &c.kPeOut, &c.latent})
      if (*tensor)
        canaries.emplace_back(*tensor);
    if (c.query) {
      int64_t tokens = c.tokens - std::max<int64_t>(c.padding, 0);
      bool rotatesPe = c.qPe || c.style;
      TestTensor real = c.query.rows(0, tokens);
      if (c.qNope)
        canaries[0].allow(real.columns(0, c.nope));
      if (rotatesPe && c.peWidth > 0)
        canaries[0].allow(real.columns(c.nope, c.peWidth));
      canaries[0].allow(c.query.rows(tokens, c.tokens - tokens));
    }
    if (c.kPeOut)
      canaries[c.query ? 1 : 0].allow(c.kPeOut);
    if (c.latent)
      for (int64_t t = 0; t < c.tokens - std::max<int64_t>(c.padding, 0); ++t) {
        auto slot = static_cast<int64_t>(c.slots.at({t}));
        if (slot < 0)
          continue;
        for (const TestTensor *part : {&c.latent, &c.pe})
          if (*part)
            canaries.back().allow(
                part->slice(slot / c.pageSize).slice(slot % c.pageSize));
      }
    run(c);
    for (const Canary &canary : canaries)
      EXPECT_EQ(canary.damage(), 0);
    EXPECT_LE(error(c, expected), 1);
    if (c.style && c.tokens > std::max<int64_t>(c.padding, 0) && c.qPe) {
      EXPECT_GT(error(c, wrong), 1);
    }
  }

  /// The largest error, as a share of what is allowed.
  static double error(const AppendCase &c,
                      const reference::AppendState &expected) {
    double most = 0;
    auto add = [&](const TestTensor &actual, const reference::Array &values) {
      if (!actual)
        return;
      double share =
          relativeError(actual.array(), values) / tolerance(actual.dtype());
      if (!(share <= most))
        most = share;
    };
    add(c.query, expected.query);
    add(c.kPeOut, expected.kPeOut);
    add(c.latent, expected.latent);
    add(c.pe, expected.pe);
    return most;
  }

  static RopeStyle wrongStyle(const AppendCase &c) {
    // Pairs of width 2 are the same in both styles.
    if (c.style == MLA_ROPE_NONE || c.peWidth == 2)
      return RopeStyle::None;
    return c.style == MLA_ROPE_HALF ? RopeStyle::Interleaved : RopeStyle::Half;
  }
};

TEST_F(AppendTest, EveryCombination) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    AppendCase c;
    auto [latent, pe] = random.pick<std::pair<int64_t, int64_t>>(
        {{512, 64}, {512, 0}, {256, 64}, {256, 32}, {128, 32}, {448, 64}});
    c.latentWidth = latent;
    c.peWidth = pe;
    c.tokens = random.pick<int64_t>({0, 1, 2, 7, 13});
    c.heads = random.pick<int64_t>({1, 2, 3, 8});
    c.nope = random.chance(0.5) ? latent : 128;
    c.pageSize = random.pick<int64_t>({1, 8, 16, 32, 64, 128});
    c.dtype = random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.cacheDtype = random.chance(0.6) ? c.dtype : uint32_t{MLA_DTYPE_BF16};
    c.withCache = random.chance(0.8);
    c.withKPeOut = pe > 0 && random.chance(0.3);
    c.withQuery = !(c.withCache || c.withKPeOut) || random.chance(0.8);
    c.withQNope = random.chance(0.5);
    c.withQPe = random.chance(0.7);
    c.style = pe == 0 ? int64_t{MLA_ROPE_NONE}
                      : random.pick<int64_t>({MLA_ROPE_NONE, MLA_ROPE_HALF,
                                              MLA_ROPE_INTERLEAVED});
    // Without a rotation, nothing but a pe argument tells how wide R is.
    c.withQPe |= c.style == MLA_ROPE_NONE && !c.withCache && !c.withKPeOut;
    c.rounding = random.integer(0, 2);
    c.padding = random.chance(0.5) ? -1 : random.integer(0, c.tokens);
    c.build(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": style " +
                 std::to_string(c.style) + ", padding " +
                 std::to_string(c.padding) + ", query " + c.query.describe() +
                 ", q_pe " + c.qPe.describe() + ", latent " +
                 c.latent.describe() + ", pe " + c.pe.describe());
    compare(c);
    if (HasFailure())
      return;
  }
}

// Rows that a GPU moves by 16 bytes, in either style and of any widths.
TEST_F(AppendTest, DenseRows) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    AppendCase c;
    c.layout = Layout::Dense;
    c.latentWidth = random.pick<int64_t>({64, 256, 512});
    c.nope = random.chance(0.5) ? c.latentWidth : 128;
    // Of 8 and 24 the pairs are no whole packets.
    c.peWidth = random.pick<int64_t>({8, 16, 24, 32, 64});
    c.heads = random.pick<int64_t>({1, 3, 20});
    c.pageSize = random.pick<int64_t>({1, 16, 48});
    c.dtype = random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.cacheDtype = random.chance(0.6) ? c.dtype : uint32_t{MLA_DTYPE_BF16};
    c.withKPeOut = random.chance(0.3);
    c.style = random.pick<int64_t>(
        {MLA_ROPE_NONE, MLA_ROPE_HALF, MLA_ROPE_INTERLEAVED});
    c.withQPe = c.style == MLA_ROPE_NONE || random.chance(0.7);
    c.padding = random.integer(-1, 2);
    c.build(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": style " +
                 std::to_string(c.style) + ", query " + c.query.describe() +
                 ", latent " + c.latent.describe());
    compare(c);
    if (HasFailure())
      return;
  }
}

TEST_F(AppendTest, ManyHeads) {
  for (int64_t heads : {16, 20, 32, 40, 64, 96, 128}) {
    Random random(heads);
    AppendCase c;
    c.heads = heads;
    c.build(random);
    compare(c);
  }
}

TEST_F(AppendTest, WithoutARotationCopiesBitForBit) {
  for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    Random random(dtype);
    AppendCase c;
    c.style = MLA_ROPE_NONE;
    c.dtype = c.cacheDtype = dtype;
    c.withKPeOut = true;
    c.padding = -1;
    c.build(random);
    // Signalling NaNs, infinities and -0 go through unchanged.
    for (const TestTensor *tensor : {&c.cKv, &c.kPe, &c.qNope, &c.qPe})
      tensor->forEach([&](const Shape &index) {
        uint8_t *bytes = tensor->address(index);
        for (uint32_t i = 0; i < mla_dtype_bits(dtype) / 8; ++i)
          bytes[i] = static_cast<uint8_t>(random.integer(0, 255));
      });
    run(c);
    EXPECT_TRUE(c.query.columns(0, c.nope).sameBits(c.qNope));
    EXPECT_TRUE(c.query.columns(c.nope, c.peWidth).sameBits(c.qPe));
    EXPECT_TRUE(c.kPeOut.sameBits(c.kPe));
    int written = 0;
    for (int64_t t = 0; t < c.tokens; ++t) {
      auto slot = static_cast<int64_t>(c.slots.at({t}));
      if (slot < 0)
        continue;
      ++written;
      int64_t page = slot / c.pageSize, row = slot % c.pageSize;
      EXPECT_TRUE(c.latent.slice(page).slice(row).sameBits(c.cKv.slice(t)));
      EXPECT_TRUE(c.pe.slice(page).slice(row).sameBits(c.kPe.slice(t)));
    }
    EXPECT_GT(written, 0);
  }
}

TEST_F(AppendTest, RoundsThroughTheInputType) {
  // With an f32 cache behind bf16 keys the two roundings differ.
  for (int64_t rounding :
       {MLA_ROUNDING_DIRECT, MLA_ROUNDING_THROUGH_INPUT_TYPE}) {
    Random random(3);
    AppendCase c;
    c.dtype = MLA_DTYPE_BF16;
    c.rounding = rounding;
    c.padding = -1;
    c.build(random);
    run(c);
    int64_t finer = 0;
    for (int64_t t = 0; t < c.tokens; ++t) {
      auto slot = static_cast<int64_t>(c.slots.at({t}));
      if (slot < 0)
        continue;
      for (int64_t i = 0; i < c.peWidth; ++i) {
        double value = c.pe.at({slot / c.pageSize, slot % c.pageSize, i});
        uint64_t bits = encodeFloat(value, 8, 7);
        finer += decodeFloat(bits, 8, 7) != value;
      }
    }
    if (rounding == MLA_ROUNDING_DIRECT) {
      EXPECT_GT(finer, 0);
    } else
      EXPECT_EQ(finer, 0);
  }
}

} // namespace
