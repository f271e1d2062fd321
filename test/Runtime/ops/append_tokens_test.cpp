//===- append_tokens_test.cpp - Every form of mla_append, bit for bit -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Widths, heads, tokens, types, alignments. On a GPU 16-bit rows that are
// aligned to 16 bytes have a kernel of their own; what has them here and there
// alone, or not at all, has another.
//
//===----------------------------------------------------------------------===//

#include "AppendTokens.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

namespace {

class AppendTokensTest : public OpTest {
protected:
  void run(AppendTokens &tokens) {
    tokens.expect();
    mla_append_params params = tokens.call.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(tokens.difference(), "");
  }

  void run(uint64_t seed, const AppendCase &form,
           const AppendLayout &layout = AppendLayout()) {
    Random random(seed);
    int64_t rows = std::max<int64_t>(1, form.heads * (form.nope + 64));
    int64_t distinct = std::min<int64_t>(std::max<int64_t>(10000 / rows, 2), 7);
    AppendTokens tokens(random, form, layout, std::min(distinct, form.tokens));
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + tokens.describe());
    run(tokens);
  }

  /// 16-bit inputs, what most models have.
  static AppendCase makeForm(int64_t tokens) {
    AppendCase form;
    form.tokens = tokens;
    form.heads = 8;
    form.latentWidth = 512;
    form.nope = 128;
    form.peWidth = 64;
    form.pageSize = 16;
    form.dtype = form.cacheDtype = MLA_DTYPE_BF16;
    form.padding = -1;
    return form;
  }

  /// The cache's type; block scales where `withBlocks`.
  static void setFp8(AppendCase &form, bool withBlocks) {
    form.cacheDtype = MLA_DTYPE_F8E4M3FN;
    form.peDtype = withBlocks ? form.dtype : uint32_t{MLA_DTYPE_F8E4M3FN};
    form.blockScales = withBlocks;
    form.onePool = true;
  }

  static AppendCase randomForm(Random &random) {
    AppendCase form;
    form.tokens = random.pick<int64_t>({1, 2, 3, 7, 64, 257, 1500});
    form.heads = random.pick<int64_t>({1, 2, 3, 5, 8, 16, 20, 64, 128});
    form.peWidth = random.pick<int64_t>({0, 16, 32, 48, 64, 64, 96, 128, 256});
    form.latentWidth = random.pick<int64_t>({128, 256, 448, 512, 512, 576});
    form.nope = random.pick<int64_t>({128, 192, form.latentWidth});
    form.pageSize = random.pick<int64_t>({1, 16, 32, 48, 64, 128});
    form.dtype = random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16});
    form.style = form.peWidth == 0
                     ? int64_t{MLA_ROPE_NONE}
                     : random.pick<int64_t>({MLA_ROPE_NONE, MLA_ROPE_HALF,
                                             MLA_ROPE_INTERLEAVED});
    form.rounding = random.integer(0, 2);
    form.withCache = random.chance(0.8);
    form.withKPeOut = form.peWidth > 0 && random.chance(0.4);
    form.withQuery = !(form.withCache || form.withKPeOut) || random.chance(0.8);
    form.cacheDtype = form.dtype;
    if (random.chance(0.1))
      form.cacheDtype = random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16});
    else if (random.chance(0.5))
      setFp8(form, form.latentWidth % 128 == 0 && random.chance(0.5));
    form.onePool = random.chance(0.7);
    form.latentFactor = randomScale(random);
    form.peFactor = randomScale(random);
    chooseQuery(random, form);
    // As many tokens as take little time.
    int64_t rows = form.withQuery ? form.heads * (form.nope + form.peWidth) : 0;
    while (form.tokens * (rows + form.latentWidth) > 600000)
      form.tokens = form.tokens * 2 / 5;
    form.padding = random.chance(0.5) ? -1 : random.integer(0, form.tokens);
    return form;
  }

  static void chooseQuery(Random &random, AppendCase &form) {
    form.queryFactor = randomScale(random);
    form.withQNope = random.chance(0.6);
    form.withQPe = form.peWidth > 0 && random.chance(0.6);
    // Without a rotation, nothing but a pe argument tells how wide R is.
    form.withQPe |= form.peWidth > 0 && form.style == MLA_ROPE_NONE &&
                    !form.withCache && !form.withKPeOut;
    if (form.blockScales || random.chance(0.6))
      return;
    // Nothing is rotated in place that is quantized.
    form.queryDtype = MLA_DTYPE_F8E4M3FN;
    form.withQPe |= form.style != MLA_ROPE_NONE;
  }

  static AppendLayout randomLayout(Random &random) {
    AppendLayout layout;
    layout.sliced = random.chance(0.5);
    layout.lists = random.chance(0.3) ? Layout::Gapped : Layout::Dense;
    // Aligned to 16 bytes, all of them or most.
    double other = random.pick({0.0, 0.15, 0.6});
    for (int64_t *unit :
         {&layout.kv, &layout.q, &layout.query, &layout.kPeOut, &layout.table})
      *unit = random.chance(other) ? random.pick<int64_t>({1, 2, 4, 8})
                                   : random.pick<int64_t>({0, 0, 16});
    if (random.chance(other))
      layout.cache = Layout::Gapped;
    return layout;
  }
};

TEST_F(AppendTokensTest, EveryByteOfRandomForms) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    AppendCase form = randomForm(random);
    run(seed, form, randomLayout(random));
    if (HasFailure())
      return;
  }
}

TEST_F(AppendTokensTest, EveryNumberOfHeads) {
  for (int64_t heads :
       {1, 2, 3, 5, 7, 8, 15, 16, 17, 20, 24, 31, 33, 63, 64, 65, 96, 127, 128})
    for (int64_t tokens : {1, 3}) {
      AppendCase form = makeForm(tokens);
      form.heads = heads;
      form.style = tokens == 1 ? MLA_ROPE_HALF : MLA_ROPE_INTERLEAVED;
      run(heads, form);
    }
}

// A whole vector of pairs in either style, or a part of one.
TEST_F(AppendTokensTest, EveryWidthOfThePositionalPart) {
  for (int64_t pe : {2,  4,  6,  8,  10, 16,  24,  32,  40,  48,
                     56, 64, 72, 80, 96, 112, 128, 192, 256, 512})
    for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_HALF, MLA_ROPE_INTERLEAVED})
      for (bool isFp8 : {false, true}) {
        AppendCase form = makeForm(5);
        form.heads = 3;
        form.peWidth = pe;
        form.style = style;
        form.withKPeOut = true;
        if (isFp8) {
          setFp8(form, false);
          form.queryDtype = MLA_DTYPE_F8E4M3FN;
        }
        run(pe, form);
      }
}

TEST_F(AppendTokensTest, EveryWidthOfTheOtherParts) {
  for (int64_t width : {8,   16,  24,  40,  64,  96,  120, 128,  136,  200, 256,
                        264, 320, 448, 512, 520, 576, 768, 1024, 1032, 2048})
    for (bool isFp8 : {false, true}) {
      AppendCase form = makeForm(3);
      form.heads = 2;
      form.latentWidth = form.nope = width;
      form.withKPeOut = true;
      if (isFp8) {
        setFp8(form, width % 128 == 0);
        form.queryDtype =
            form.blockScales ? MLA_DTYPE_NONE : MLA_DTYPE_F8E4M3FN;
      }
      run(width, form);
    }
}

// All tensors but one are aligned to 16 bytes.
TEST_F(AppendTokensTest, EachTensorByItselfIsUnaligned) {
  for (int which = 0; which < 6; ++which)
    for (int64_t unit : {1, 2, 4, 8})
      for (bool sliced : {false, true})
        for (bool inPlace : {false, true}) {
          AppendLayout layout;
          layout.sliced = sliced;
          int64_t *units[] = {&layout.kv, &layout.q, &layout.query,
                              &layout.kPeOut, &layout.table};
          if (which < 5)
            *units[which] = unit;
          else
            layout.cache = Layout::Gapped;
          AppendCase form = makeForm(7);
          form.style = unit % 4 == 1 ? MLA_ROPE_HALF : MLA_ROPE_INTERLEAVED;
          form.withKPeOut = true;
          form.withQPe = form.withQNope = !inPlace;
          run(static_cast<uint64_t>(which) * 100 + unit, form, layout);
          if (HasFailure())
            return;
        }
}

TEST_F(AppendTokensTest, EveryFractionIsPadding) {
  for (int64_t padding = 0; padding <= 37; ++padding)
    for (bool inPlace : {false, true}) {
      AppendCase form = makeForm(37);
      form.padding = padding;
      form.withKPeOut = true;
      form.withQPe = form.withQNope = !inPlace;
      if (!inPlace && padding % 2)
        setFp8(form, padding % 3 == 0);
      run(padding, form);
    }
}

// All columns of padding are cleared, also those that are left alone otherwise.
TEST_F(AppendTokensTest, PaddingWhereAPartOfTheQueryIsLeftAlone) {
  for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_HALF, MLA_ROPE_INTERLEAVED})
    for (bool withQNope : {false, true})
      for (bool withQPe : {false, true})
        for (int64_t pe : {0, 64}) {
          if (pe == 0 && (style != MLA_ROPE_NONE || withQPe))
            continue;
          AppendCase form = makeForm(9);
          form.style = style;
          form.peWidth = pe;
          form.withQNope = withQNope;
          form.withQPe = withQPe;
          form.padding = 4;
          run(style, form);
        }
}

// Each tensor has a type of its own.
TEST_F(AppendTokensTest, TypesThatDiffer) {
  const uint32_t types[] = {MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F32};
  for (int which = 0; which < 6; ++which)
    for (uint32_t one : types)
      for (uint32_t other : types)
        for (int64_t style : {MLA_ROPE_NONE, MLA_ROPE_HALF}) {
          AppendCase form = makeForm(5);
          form.style = style;
          form.dtype = form.cacheDtype = one;
          form.withKPeOut = true;
          form.onePool = false;
          uint32_t *fields[] = {&form.kvDtype,     &form.nopeDtype,
                                &form.kPeOutDtype, &form.queryDtype,
                                &form.cacheDtype,  &form.peDtype};
          *fields[which] = other;
          run(which, form);
          if (HasFailure())
            return;
        }
}

TEST_F(AppendTokensTest, WhatIsWrongShows) {
  Random random(1);
  AppendCase form = makeForm(7);
  form.withQNope = form.withQPe = false;
  AppendTokens tokens(random, form, AppendLayout(), 7);
  run(tokens);
  const TestTensor &query = tokens.call.query, &latent = tokens.call.latent;
  std::pair<uint8_t *, std::string> bytes[] = {
      // The first 128 columns are to stay.
      {query.address({6, 7, 127}), "query: 1 of 10752 elements differ, first "
                                   "[6, 7, 127]: expected "},
      {query.address({0, 0, 128}), "query: 1 of 10752 elements differ, first "
                                   "[0, 0, 128]: expected "},
      {latent.address({1, 15, 511}), "cache_latent: 1 of 16384 elements "},
      {query.address({0, 0, 0}) - 1, "1 bytes beside the elements changed"}};
  for (auto [byte, text] : bytes) {
    *byte ^= 0x41;
    EXPECT_EQ(tokens.difference().find(text), 0u) << tokens.difference();
    *byte ^= 0x41;
  }
  EXPECT_EQ(tokens.difference(), "");
}

} // namespace
