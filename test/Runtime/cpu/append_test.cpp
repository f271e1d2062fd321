//===- append_test.cpp - mla_append on the CPU ----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/append.h"

using namespace mla;
using namespace mla::test;
using reference::RopeStyle;

namespace {

const int64_t maxPos = 97;

/// One call: what varies, its tensors, and what they held before it.
struct Case {
  int64_t tokens = 5, heads = 3, latentWidth = 64, nope = 64, peWidth = 32;
  int64_t pageSize = 8, padding = 0;
  uint32_t dtype = MLA_DTYPE_F32, cacheDtype = MLA_DTYPE_F32;
  bool withQuery = true, withQNope = true, withQPe = true, withCache = true,
       withKPeOut = false;
  int64_t style = MLA_ROPE_INTERLEAVED;
  int64_t rounding = 0;

  TestTensor cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  TestTensor query, kPeOut, latent, pe;

  void build(Random &random);
  mla_append_params params() const;
  reference::AppendInputs inputs() const;
  reference::AppendState state() const {
    return {query.array(), kPeOut.array(), latent.array(), pe.array()};
  }
  RopeStyle referenceStyle() const {
    if (style == MLA_ROPE_NONE)
      return RopeStyle::None;
    return style == MLA_ROPE_HALF ? RopeStyle::Half : RopeStyle::Interleaved;
  }
};

void Case::build(Random &random) {
  auto make = [&](uint32_t type, Shape shape) {
    TestTensor tensor(type, std::move(shape), Layout::Gapped, random);
    tensor.fillRandom(random);
    return tensor;
  };
  // q_pe is a slice of q and k_pe of [c_kv | k_pe], as projections leave them.
  TestTensor q = make(dtype, {tokens, heads, nope + peWidth});
  TestTensor kv = make(dtype, {tokens, latentWidth + peWidth});
  if (withQuery) {
    query = make(dtype, {tokens, heads, nope + peWidth});
    if (withQNope)
      qNope = q.columns(0, nope);
    if (withQPe && peWidth > 0)
      qPe = q.columns(nope, peWidth);
  }
  if ((withCache || withKPeOut) && peWidth > 0)
    kPe = kv.columns(latentWidth, peWidth);
  if (withKPeOut && peWidth > 0)
    kPeOut = make(dtype, {tokens, peWidth});
  if (withCache) {
    cKv = kv.columns(0, latentWidth);
    int64_t pages = tokens / pageSize + 3;
    TestTensor pool =
        make(cacheDtype, {pages, pageSize, latentWidth + peWidth});
    latent = pool.columns(0, latentWidth);
    if (peWidth > 0)
      pe = pool.columns(latentWidth, peWidth);
    std::vector<int64_t> rows = random.choose(tokens, pages * pageSize);
    for (int64_t &row : rows)
      if (random.chance(0.2))
        row = -1;
    slots = TestTensor(MLA_DTYPE_I64, {tokens}, rows);
  }
  if (style != MLA_ROPE_NONE) {
    cosSin = make(MLA_DTYPE_F32, {maxPos, peWidth});
    positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                           {tokens}, Layout::Gapped, random);
    positions.forEach([&](const Shape &index) {
      positions.set(index, static_cast<double>(random.integer(0, maxPos - 1)));
    });
  }
  if (padding >= 0)
    cuQ = TestTensor(MLA_DTYPE_I32, {3}, {0, tokens / 2, tokens - padding});
}

mla_append_params Case::params() const {
  auto params = makeParams<mla_append_params>();
  params.c_kv = cKv.get();
  params.k_pe = kPe.get();
  params.q_nope = qNope.get();
  params.q_pe = qPe.get();
  params.slots = slots.get();
  params.cos_sin = cosSin.get();
  params.positions = positions.get();
  params.cu_q = cuQ.get();
  params.query = query.get();
  params.k_pe_out = kPeOut.get();
  params.cache_latent = latent.get();
  params.cache_pe = pe.get();
  params.rope_style = style;
  params.rope_head_dim = style ? peWidth : 0;
  params.rounding = rounding;
  return params;
}

reference::AppendInputs Case::inputs() const {
  return {cKv.array(),       kPe.array(),   qNope.array(),
          qPe.array(),       slots.array(), cosSin.array(),
          positions.array(), cuQ.array(),   style ? peWidth : 0};
}

class AppendTest : public OpTest {
protected:
  void run(const Case &c) {
    mla_append_params params = c.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  /// Runs the case and compares all that it writes, and all that it doesn't.
  void compare(const Case &c) {
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
  static double error(const Case &c, const reference::AppendState &expected) {
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

  static RopeStyle wrongStyle(const Case &c) {
    // Pairs of width 2 are the same in both styles.
    if (c.style == MLA_ROPE_NONE || c.peWidth == 2)
      return RopeStyle::None;
    return c.style == MLA_ROPE_HALF ? RopeStyle::Interleaved : RopeStyle::Half;
  }
};

TEST_F(AppendTest, EveryCombination) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    Case c;
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

TEST_F(AppendTest, ManyHeads) {
  for (int64_t heads : {16, 20, 32, 40, 64, 96, 128}) {
    Random random(heads);
    Case c;
    c.heads = heads;
    c.build(random);
    compare(c);
  }
}

TEST_F(AppendTest, WithoutARotationCopiesBitForBit) {
  for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    Random random(dtype);
    Case c;
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
    Case c;
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

TEST_F(AppendTest, ASlotOfPaddingIsNotWritten) {
  Random random(4);
  Case c;
  c.padding = 2;
  c.build(random);
  Canary canary(c.latent);
  for (int64_t t = 0; t < c.tokens; ++t)
    c.slots.set({t}, t < c.tokens - 2 ? -1 : static_cast<double>(t));
  run(c);
  EXPECT_EQ(canary.damage(), 0);
}

TEST_F(AppendTest, ReportsBadSlots) {
  for (double bad : {-2.0, 24.0, 0x1p62}) {
    Random random(5);
    Case c;
    c.padding = -1;
    c.build(random);
    ASSERT_EQ(c.latent.dim(0) * c.pageSize, 24);
    Canary canary(c.latent);
    for (int64_t t = 0; t < c.tokens; ++t)
      c.slots.set({t}, -1);
    c.slots.set({1}, bad);
    run(c);
    expectFault("slots", std::to_string(static_cast<int64_t>(bad)));
    EXPECT_EQ(canary.damage(), 0);
  }
}

TEST_F(AppendTest, ReportsBadPositionsAndSparesTheCache) {
  for (double bad : {-1.0, static_cast<double>(maxPos)}) {
    Random random(6);
    Case c;
    c.padding = -1;
    c.build(random);
    Canary canary(c.latent);
    c.positions.fill(bad);
    run(c);
    expectFault("positions", std::to_string(static_cast<int64_t>(bad)));
    EXPECT_EQ(canary.damage(), 0);
  }
}

TEST_F(AppendTest, ReportsABadNumberOfTokens) {
  for (int64_t bad : {-1, 6}) {
    Random random(7);
    Case c;
    c.padding = 0;
    c.build(random);
    c.cuQ.set({2}, static_cast<double>(bad));
    run(c);
    expectFault("cu_q", std::to_string(bad));
  }
}

TEST_F(AppendTest, Fp8IsRefusedInEveryMode) {
  Random random(8);
  Case c;
  c.cacheDtype = MLA_DTYPE_F32;
  c.build(random);
  TestTensor pool(MLA_DTYPE_F8E4M3FN, c.latent.shape(), Layout::Dense, random);
  TestTensor scale(MLA_DTYPE_F32, {1}, {1});
  mla_tensor scalar = *scale.get();
  scalar.rank = 0;
  for (int32_t mode : {MLA_MODE_RUN, MLA_MODE_CHECK}) {
    ASSERT_EQ(mla_context_set_mode(ctx, mode), MLA_STATUS_OK);
    Canary canary(pool), query(c.query);
    mla_append_params params = c.params();
    params.cache_latent = pool.get();
    params.latent_scale = &scalar;
    expectUnimplemented(mla_append(ctx, &params), "cache_latent");
    EXPECT_EQ(canary.damage() + query.damage(), 0);
  }
}

} // namespace
