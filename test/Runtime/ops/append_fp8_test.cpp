//===- append_fp8_test.cpp - mla_append into fp8 --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendCase.h"
#include "ExactRows.h"

using namespace mla;
using namespace mla::test;

namespace {

class AppendFp8Test : public OpTest {
protected:
  /// Zeros, blocks of zeros, infinities, NaNs and both signs of each.
  static void addSpecialValues(Random &random, const TestTensor &tensor) {
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::nan("");
    bool zeros = false;
    tensor.forEach([&](const Shape &index) {
      if (index.back() % 128 == 0)
        zeros = random.chance(0.1);
      if (zeros)
        tensor.set(index, random.pick({0.0, -0.0}));
      else if (random.chance(0.02))
        tensor.set(index, random.pick({0.0, -0.0, inf, -inf, nan, -nan}));
    });
  }

  static AppendCase randomCase(Random &random) {
    AppendCase c;
    CacheSpec spec = randomFp8Spec(random);
    c.latentWidth = spec.latentWidth;
    c.peWidth = spec.peWidth;
    c.pageSize = spec.pageSize;
    c.cacheDtype = spec.latentDtype;
    c.peDtype = spec.peDtype;
    c.blockScales = spec.blockScales;
    c.latentFactor = spec.latentScale;
    c.peFactor = spec.peScale;
    c.queryFactor = randomScale(random);
    c.dtype = random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.tokens = random.pick<int64_t>({0, 1, 5, 9});
    c.nope = random.chance(0.5) ? c.latentWidth : 96;
    c.onePool = random.chance(0.5);
    c.withKPeOut = c.peWidth > 0 && random.chance(0.3);
    c.withQNope = random.chance(0.7);
    c.style = c.peWidth == 0
                  ? int64_t{MLA_ROPE_NONE}
                  : random.pick<int64_t>(
                        {MLA_ROPE_NONE, MLA_ROPE_HALF, MLA_ROPE_INTERLEAVED});
    if (!c.blockScales && random.chance(0.6))
      c.queryDtype = MLA_DTYPE_F8E4M3FN;
    c.rounding = random.integer(0, 2);
    c.padding = random.chance(0.5) ? -1 : random.integer(0, c.tokens);
    c.build(random);
    for (const TestTensor *tensor : {&c.cKv, &c.kPe, &c.qNope, &c.qPe})
      if (*tensor)
        fillExactRows(random, *tensor);
    if (c.cosSin)
      fillExactTable(random, c.cosSin);
    if (c.cKv)
      addSpecialValues(random, c.cKv);
    if (c.qNope)
      addSpecialValues(random, c.qNope);
    return c;
  }

  static int64_t realTokens(const AppendCase &c) {
    return c.tokens - std::max<int64_t>(c.padding, 0);
  }

  /// Calls `visit(token, page, line)` for each row that is written.
  template <typename Visitor>
  static void forEachRow(const AppendCase &c, Visitor visit) {
    for (int64_t t = 0; t < realTokens(c); ++t) {
      auto slot = static_cast<int64_t>(c.slots.at({t}));
      if (slot >= 0)
        visit(t, slot / c.pageSize, slot % c.pageSize);
    }
  }

  void run(const AppendCase &c) {
    std::vector<Canary> canaries;
    for (const TestTensor *part : {&c.latent, &c.pe, &c.cache.scales})
      if (*part)
        canaries.emplace_back(*part);
    for (Canary &canary : canaries)
      forEachRow(c, [&](int64_t, int64_t page, int64_t line) {
        for (const TestTensor *part : {&c.latent, &c.pe, &c.cache.scales})
          if (*part)
            canary.allow(part->slice(page).slice(line));
      });
    Canary query(c.query);
    query.allow(c.query);
    mla_append_params params = c.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(query.damage(), 0);
    for (const Canary &canary : canaries)
      EXPECT_EQ(canary.damage(), 0);
  }

  /// True when all that the call wrote has the bits of `expected`; a NaN may be
  /// any other.
  static bool matches(const AppendCase &c,
                      const reference::AppendState &expected) {
    Random unused(0);
    auto typed = [&](const TestTensor &like, const reference::Array &values) {
      TestTensor result(like.dtype(), like.shape(), Layout::Dense, unused);
      result.assign(values);
      return result;
    };
    bool same = c.query.sameValues(typed(c.query, expected.query));
    if (c.kPeOut)
      same &= c.kPeOut.sameValues(typed(c.kPeOut, expected.kPeOut));
    const std::pair<const TestTensor *, const reference::Array *> parts[] = {
        {&c.latent, &expected.latent},
        {&c.pe, &expected.pe},
        {&c.cache.scales, &expected.scales}};
    for (auto [part, values] : parts) {
      if (!*part)
        continue;
      TestTensor right = typed(*part, *values);
      forEachRow(c, [&, part = part](int64_t, int64_t page, int64_t line) {
        same &= part->slice(page).slice(line).sameValues(
            right.slice(page).slice(line));
      });
    }
    return same;
  }

  static std::string describe(const AppendCase &c) {
    return "style " + std::to_string(c.style) + ", padding " +
           std::to_string(c.padding) + ", rounding " +
           std::to_string(c.rounding) + ", input " + mla_dtype_name(c.dtype) +
           ", query " + c.query.describe() + ", latent " + c.latent.describe() +
           ", pe " + c.pe.describe() + ", scales " + c.cache.scales.describe();
  }
};

TEST_F(AppendFp8Test, EveryByteOfEveryCombination) {
  int64_t scalesSeen = 0, roundingSeen = 0;
  for (uint64_t seed = 0; seed < 250; ++seed) {
    Random random(seed);
    AppendCase c = randomCase(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(c));
    reference::AppendState before = c.state(), expected = before;
    reference::append(c.inputs(), c.referenceStyle(), expected);
    run(c);
    EXPECT_TRUE(matches(c, expected));
    if (HasFailure())
      return;
    // One scale for another, and the other rounding, show.
    reference::AppendInputs wrong = c.inputs();
    std::swap(wrong.latentScale, wrong.peScale);
    if (wrong.latentScale != 0 && wrong.peScale != 0) {
      expected = before;
      reference::append(wrong, c.referenceStyle(), expected);
      scalesSeen += !matches(c, expected);
    }
    wrong = c.inputs();
    if (wrong.rounding) {
      wrong.rounding = nullptr;
      expected = before;
      reference::append(wrong, c.referenceStyle(), expected);
      roundingSeen += !matches(c, expected);
    }
  }
  EXPECT_GT(scalesSeen, 10);
  EXPECT_GT(roundingSeen, 0);
}

TEST_F(AppendFp8Test, OnePoolAndSeveralHoldTheSame) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    AppendCase one = randomCase(random), several = one;
    CacheSpec spec;
    spec.latentWidth = one.latentWidth;
    spec.peWidth = one.peWidth;
    spec.pageSize = one.pageSize;
    spec.latentDtype = one.cacheDtype;
    spec.peDtype = one.peDtype;
    spec.blockScales = one.blockScales;
    spec.latentScale = one.latentFactor;
    spec.peScale = one.peFactor;
    for (AppendCase *c : {&one, &several}) {
      c->cache = CachePool(random, spec, one.latent.dim(0), c == &one);
      c->latent = c->cache.latent;
      c->pe = c->cache.pe;
      run(*c);
    }
    forEachRow(one, [&](int64_t, int64_t page, int64_t line) {
      auto same = [&](const TestTensor &a, const TestTensor &b) {
        return !a ||
               a.slice(page).slice(line).sameBits(b.slice(page).slice(line));
      };
      EXPECT_TRUE(same(one.latent, several.latent));
      EXPECT_TRUE(same(one.pe, several.pe));
      EXPECT_TRUE(same(one.cache.scales, several.cache.scales));
    });
  }
}

} // namespace
