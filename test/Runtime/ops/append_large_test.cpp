//===- append_large_test.cpp - mla_append over thousands of tokens --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// More than all threads of a GPU move at once, four times over: where a grid is
// as large as the GPU, each block comes back for more.
//
//===----------------------------------------------------------------------===//

#include "AppendTokens.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

namespace {

/// 132 multiprocessors of 2048 threads, 16 bytes each.
const int64_t onceOver = int64_t{132} * 2048 * 16;

class AppendLargeTest : public OpTest {
protected:
  void run(AppendTokens &tokens) {
    tokens.expect();
    mla_append_params params = tokens.call.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(tokens.difference(), "");
  }
  void run(const AppendCase &form, bool sliced) {
    Random random(form.heads + form.style);
    AppendLayout layout;
    layout.sliced = sliced;
    AppendTokens tokens(random, form, layout, 7);
    SCOPED_TRACE(tokens.describe());
    run(tokens);
  }

  /// Of the context form, with a query of 128 + 64 columns.
  static AppendCase makeQueries(int64_t heads) {
    AppendCase form = makeKeys(1500);
    form.heads = heads;
    form.withQuery = form.withKPeOut = true;
    return form;
  }
  static AppendCase makeKeys(int64_t tokens) {
    AppendCase form;
    form.tokens = tokens;
    form.latentWidth = 512;
    form.nope = 128;
    form.peWidth = 64;
    form.pageSize = 64;
    form.dtype = form.cacheDtype = MLA_DTYPE_BF16;
    form.withQuery = false;
    form.padding = -1;
    return form;
  }
  static void setFp8(AppendCase &form) {
    form.cacheDtype = form.peDtype = form.queryDtype = MLA_DTYPE_F8E4M3FN;
    form.queryFactor = 0.37f;
    form.latentFactor = 0.021f;
    form.peFactor = 1.7f;
  }
};

TEST_F(AppendLargeTest, RotatesInPlace) {
  AppendCase form = makeQueries(128);
  form.withQNope = form.withQPe = false;
  form.style = MLA_ROPE_HALF;
  form.padding = 150;
  ASSERT_GT(form.tokens * form.heads * form.peWidth * 2, 4 * onceOver);
  run(form, false);
}

TEST_F(AppendLargeTest, RotatesTheQuerysPart) {
  AppendCase form = makeQueries(100);
  form.withQNope = false;
  form.dtype = form.cacheDtype = MLA_DTYPE_F16;
  form.rounding = MLA_ROUNDING_THROUGH_INPUT_TYPE;
  ASSERT_GT(form.tokens * form.heads * form.peWidth * 2, 4 * onceOver);
  run(form, true);
}

TEST_F(AppendLargeTest, AssemblesAQuery) {
  AppendCase form = makeQueries(40);
  ASSERT_GT(form.tokens * form.heads * 192 * 2, 4 * onceOver);
  run(form, false);
}

TEST_F(AppendLargeTest, AssemblesAnFp8Query) {
  for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF}) {
    AppendCase form = makeQueries(32);
    form.style = style;
    form.padding = 3;
    setFp8(form);
    ASSERT_GT(form.tokens * form.heads * 192 * 2, 4 * onceOver);
    run(form, true);
  }
}

TEST_F(AppendLargeTest, AssemblesAnAbsorbedQueryWithoutARotation) {
  AppendCase form = makeQueries(16);
  form.nope = 512;
  form.style = MLA_ROPE_NONE;
  ASSERT_GT(form.tokens * form.heads * 576 * 2, 4 * onceOver);
  run(form, true);
}

TEST_F(AppendLargeTest, WritesKeys) {
  for (bool withBlocks : {false, true}) {
    AppendCase form = makeKeys(16384);
    form.withKPeOut = withBlocks;
    form.padding = 5;
    if (withBlocks) {
      form.cacheDtype = MLA_DTYPE_F8E4M3FN;
      form.peDtype = MLA_DTYPE_BF16;
      form.blockScales = true;
    }
    ASSERT_GT(form.tokens * 576 * 2, 4 * onceOver);
    run(form, !withBlocks);
  }
}

TEST_F(AppendLargeTest, WritesKeysWithoutAPositionalPart) {
  AppendCase form = makeKeys(18000);
  form.peWidth = 0;
  form.style = MLA_ROPE_NONE;
  ASSERT_GT(form.tokens * 512 * 2, 4 * onceOver);
  run(form, false);
}

// Few bytes and many tokens.
TEST_F(AppendLargeTest, WritesNarrowKeys) {
  AppendCase form = makeKeys(40000);
  form.latentWidth = 8;
  form.peWidth = 8;
  form.withKPeOut = true;
  run(form, false);
}

TEST_F(AppendLargeTest, HasMorePaddingThanTokens) {
  for (int64_t real : {0, 1, 100}) {
    AppendCase form = makeQueries(40);
    form.padding = form.tokens - real;
    setFp8(form);
    run(form, false);
  }
}

class AppendLargeFaultsTest : public AppendLargeTest {
protected:
  /// Runs a call that `spoil` has changed, in several forms.
  void runSpoilt(const std::function<void(AppendCase &, Random &)> &spoil,
                 const std::string &what, const std::string &value,
                 bool needsFp8 = false) {
    for (bool inPlace : {false, true}) {
      if (inPlace && needsFp8)
        continue;
      Random random(3);
      AppendCase form = makeQueries(20);
      form.padding = padding;
      form.withQNope = form.withQPe = !inPlace;
      if (needsFp8)
        setFp8(form);
      AppendTokens tokens(random, form, AppendLayout(), 7);
      spoil(tokens.call, random);
      SCOPED_TRACE(tokens.describe());
      run(tokens);
      expectFault(what, value);
    }
  }
  /// Tokens here and there, the first and the last that aren't padding too.
  void putHereAndThere(const TestTensor &list, double bad, Random &random) {
    int64_t real = list.dim(0) - padding;
    for (int64_t t = 0; t < real; ++t)
      if (t == 0 || t == real - 1 || random.chance(0.02))
        list.set({t}, bad);
  }

  int64_t padding = 77;
};

TEST_F(AppendLargeFaultsTest, BadPositions) {
  for (double bad : {-1.0, static_cast<double>(maxPos), 0x1p30})
    runSpoilt(
        [&](AppendCase &c, Random &random) {
          putHereAndThere(c.positions, bad, random);
        },
        "positions", std::to_string(static_cast<int64_t>(bad)));
}

TEST_F(AppendLargeFaultsTest, BadSlots) {
  for (double bad : {-2.0, 25.0 * 64, 0x1p62})
    runSpoilt(
        [&](AppendCase &c, Random &random) {
          ASSERT_EQ(c.latent.dim(0) * c.pageSize, 25 * 64);
          putHereAndThere(c.slots, bad, random);
        },
        "slots", std::to_string(static_cast<int64_t>(bad)));
}

TEST_F(AppendLargeFaultsTest, BadNumbersOfTokens) {
  // Where it says too many, none is padding.
  padding = 0;
  for (int64_t bad : {-1, 1501})
    runSpoilt([&](AppendCase &c,
                  Random &) { c.cuQ.set({3}, static_cast<double>(bad)); },
              "cu_q", std::to_string(bad));
}

TEST_F(AppendLargeFaultsTest, BadScales) {
  for (double bad : {0.0, std::nan("")}) {
    const char *const names[] = {"query_scale", "latent_scale", "pe_scale"};
    for (int which = 0; which < 3; ++which)
      runSpoilt(
          [&](AppendCase &c, Random &) {
            const TestTensor *scales[] = {&c.queryScale, &c.cache.latentScale,
                                          &c.cache.peScale};
            scales[which]->set({}, bad);
          },
          names[which], "expected a positive normal f32, got", true);
  }
}

} // namespace
