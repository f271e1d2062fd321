//===- absorbed_attention_dense_test.cpp - What tensor cores take ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Rows without gaps, of 16 bits or fp8: a GPU takes them by 16 bytes and
// multiplies them by its tensor cores. The other tests' rows are seldom so.
//
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"

using namespace mla;
using namespace mla::test;

namespace {

class AbsorbedAttentionDenseTest : public OpTest {
protected:
  void run(const AttentionCase &c, int64_t maxKv = 0) {
    mla_absorbed_attention_params params = c.params();
    params.max_kv = maxKv;
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
  }

  void compare(const AttentionCase &c) {
    SCOPED_TRACE("query " + c.query.describe() + ", latent " +
                 c.batch.cache.latent.describe() + ", pe " +
                 c.batch.cache.pe.describe() + (c.indices ? ", indices" : ""));
    Canary o(c.o), lse(c.lse), cache(c.batch.cache.latent);
    o.allow(c.o);
    lse.allow(c.lse);
    run(c);
    EXPECT_EQ(o.damage() + lse.damage() + cache.damage(), 0);
    reference::State expected = c.formula().compute();
    EXPECT_LE(relativeError(c.o.array(), expected.o),
              attentionTolerance(c.query.dtype(), c.o.dtype()));
    EXPECT_LE(relativeError(c.lse.array(), expected.lse),
              attentionTolerance(c.query.dtype(), MLA_DTYPE_F32));
  }

  enum class Format { Bf16, F16, Fp8, Fp8WithBf16, BlockScaled };

  static CacheSpec makeSpec(Random &random, Format format, int64_t latentWidth,
                            int64_t peWidth, int64_t pageSize) {
    CacheSpec spec;
    spec.layout = Layout::Dense;
    spec.latentWidth = latentWidth;
    spec.peWidth = peWidth;
    spec.pageSize = pageSize;
    spec.latentDtype = spec.peDtype = MLA_DTYPE_F8E4M3FN;
    if (format == Format::Bf16 || format == Format::F16)
      spec.latentDtype = spec.peDtype =
          format == Format::F16 ? MLA_DTYPE_F16 : MLA_DTYPE_BF16;
    else if (format != Format::Fp8)
      spec.peDtype = MLA_DTYPE_BF16;
    spec.blockScales = format == Format::BlockScaled;
    spec.latentScale = randomScale(random);
    spec.peScale = randomScale(random);
    return spec;
  }

  /// A query of the cache's type; of an fp8 cache's, or of 16 bits.
  static AttentionCase makeCase(Random &random, const PagedBatch &batch,
                                int64_t heads) {
    uint32_t dtype = batch.spec.latentDtype;
    if (dtype == MLA_DTYPE_F8E4M3FN &&
        (batch.spec.blockScales || random.chance(0.5)))
      dtype = random.pick({MLA_DTYPE_F16, MLA_DTYPE_BF16});
    AttentionCase c(random, batch, heads, dtype,
                    random.pick({MLA_DTYPE_F32, MLA_DTYPE_BF16}));
    if (dtype == MLA_DTYPE_F8E4M3FN)
      c.queryScale = makeScalar(randomScale(random));
    return c;
  }
};

TEST_F(AbsorbedAttentionDenseTest, EveryFormatAndWidth) {
  uint64_t seed = 0;
  for (Format format : {Format::Bf16, Format::F16, Format::Fp8,
                        Format::Fp8WithBf16, Format::BlockScaled})
    for (int64_t latentWidth : {512, 448, 256, 128, 64})
      for (int64_t peWidth : {0, 32, 64}) {
        if (format == Format::BlockScaled && latentWidth % 128 != 0)
          continue;
        Random random(++seed);
        CacheSpec spec = makeSpec(random, format, latentWidth, peWidth,
                                  random.pick<int64_t>({1, 16, 48, 64}));
        std::vector<int64_t> lengths, newTokens;
        for (int i = 0; i < 3; ++i) {
          lengths.push_back(random.pick<int64_t>({0, 1, 63, 64, 65, 128, 200}));
          newTokens.push_back(
              std::min(random.pick<int64_t>({0, 1, 2, 5}), lengths.back()));
        }
        PagedBatch batch(random, spec, lengths, newTokens,
                         random.integer(0, 2));
        AttentionCase c =
            makeCase(random, batch, random.pick<int64_t>({1, 3, 16, 20}));
        if (random.chance(0.3))
          c.addSinks(random);
        if (random.chance(0.3))
          c.addIndices(random, random.pick<int64_t>({1, 64, 100}), 200);
        if (random.chance(0.3))
          c.addBounds(random);
        SCOPED_TRACE("seed " + std::to_string(seed));
        compare(c);
        if (HasFailure())
          return;
      }
}

TEST_F(AbsorbedAttentionDenseTest, SeveralTilesOfRowsSideBySide) {
  for (int64_t heads : {64, 65, 128}) {
    Random random(heads);
    CacheSpec spec =
        makeSpec(random, heads == 64 ? Format::Fp8 : Format::Bf16, 128, 32, 64);
    AttentionCase c = makeCase(
        random, PagedBatch(random, spec, {130, 0, 66}, {2, 0, 1}, 1), heads);
    compare(c);
    c.addIndices(random, 70, 130);
    compare(c);
  }
}

// What compute capability 9.0 has a kernel of its own for: an output of the
// cache's type, rows of a page that fill boxes. A tile is one part's, or two
// parts', which are merged without a second kernel, or many parts'.
TEST_F(AbsorbedAttentionDenseTest, PartsOfTilesInPagesOfWholeBoxes) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Random random(seed);
    CacheSpec spec =
        makeSpec(random, seed % 2 ? Format::Bf16 : Format::F16,
                 seed % 3 ? 512 : 256, random.pick<int64_t>({64, 24, 0}),
                 random.pick<int64_t>({16, 32, 64, 192}));
    AttentionCase c(
        random, PagedBatch(random, spec, {200, 0, 64, 129}, {2, 0, 1, 3}, 1),
        random.pick<int64_t>({1, 20, 66}), spec.latentDtype, spec.latentDtype);
    if (random.chance(0.3))
      c.addSinks(random);
    if (random.chance(0.3))
      c.addBounds(random);
    for (int32_t limit : {2, 5, 0}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", limit " +
                   std::to_string(limit));
      ASSERT_EQ(mla_context_set_sm_limit(ctx, limit), MLA_STATUS_OK);
      c.o.fill(0);
      compare(c);
      if (HasFailure())
        return;
    }
  }
}

// However few multiprocessors there are, each tile is somebody's.
TEST_F(AbsorbedAttentionDenseTest, FewerMultiprocessorsThanTiles) {
  Random random(1);
  CacheSpec spec = makeSpec(random, Format::Bf16, 64, 32, 16);
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F32}) {
    spec.latentDtype = spec.peDtype = dtype;
    AttentionCase c =
        makeCase(random, PagedBatch(random, spec, {90, 7}, {2, 1}, 1), 128);
    for (bool indexed : {false, true}) {
      if (indexed)
        c.addIndices(random, 20, 90);
      for (int32_t limit : {1, 3, 0}) {
        SCOPED_TRACE("limit " + std::to_string(limit));
        ASSERT_EQ(mla_context_set_sm_limit(ctx, limit), MLA_STATUS_OK);
        c.o.fill(0);
        compare(c);
      }
    }
  }
}

// Long enough that a GPU deals the keys of one tile to many multiprocessors.
TEST_F(AbsorbedAttentionDenseTest, LongSequencesAreSplitAndMerged) {
  for (Format format : {Format::Bf16, Format::Fp8, Format::BlockScaled}) {
    Random random(static_cast<uint64_t>(format));
    CacheSpec spec = makeSpec(random, format, 128, 64, 64);
    AttentionCase c = makeCase(
        random, PagedBatch(random, spec, {3000, 1, 700}, {1, 1, 3}, 1), 2);
    compare(c);
    c.addSinks(random);
    compare(c);
    c.addBounds(random);
    compare(c);
    c.bounds = TestTensor();
    c.addIndices(random, 1000, 3000);
    compare(c);
  }
}

// Of one tile more parts than a warp has lanes, and of few rows; then, with as
// many tiles as two multiprocessors have side by side.
TEST_F(AbsorbedAttentionDenseTest, ManyPartsOfOneTile) {
  for (auto [heads, length] : {std::pair<int64_t, int64_t>{5, 8300},
                               {1, 8192},
                               {20, 20000},
                               {128, 4200},
                               {65, 2500}}) {
    Random random(static_cast<uint64_t>(length));
    CacheSpec spec = makeSpec(random, Format::Bf16, 192, 32, 64);
    AttentionCase c =
        makeCase(random, PagedBatch(random, spec, {length}, {1}, 0), heads);
    c.addSinks(random);
    SCOPED_TRACE(std::to_string(heads) + " heads, " + std::to_string(length) +
                 " keys");
    compare(c);
    std::vector<double> first = c.o.array().data, lse = c.lse.array().data;
    c.o.fill(0);
    run(c);
    EXPECT_EQ(c.o.array().data, first);
    EXPECT_EQ(c.lse.array().data, lse);
  }
}

// Each has parts of its own number, of few keys and of many.
TEST_F(AbsorbedAttentionDenseTest, SequencesOfFewAndOfManyParts) {
  Random random(4);
  CacheSpec spec = makeSpec(random, Format::F16, 320, 0, 48);
  AttentionCase c =
      makeCase(random,
               PagedBatch(random, spec, {600, 0, 9000, 65, 1300, 1},
                          {1, 0, 1, 2, 1, 1}, 2),
               20);
  compare(c);
  c.addSinks(random);
  c.addIndices(random, 2500, 9000);
  compare(c);
}

TEST_F(AbsorbedAttentionDenseTest, BeyondTheHintALongSequenceSeesNoKey) {
  Random random(2);
  CacheSpec spec = makeSpec(random, Format::Bf16, 128, 64, 64);
  AttentionCase c =
      makeCase(random, PagedBatch(random, spec, {3000, 70}, {2, 1}, 0), 2);
  run(c); // so that nothing of another call is left
  run(c, 2999);
  expectFault("kv_lens, bounded by max_kv", "3000");
  reference::State expected = c.formula().compute();
  const double none = -std::numeric_limits<double>::infinity();
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t h = 0; h < 2; ++h) {
      EXPECT_EQ(c.lse.at({t, h}), none);
      EXPECT_EQ(c.o.at({t, h, 77}), 0);
    }
  EXPECT_NEAR(c.lse.at({2, 1}), expected.lse.at(2, 1), 1e-3);
}

// A layer's part of a pool that holds several layers' rows side by side.
TEST_F(AbsorbedAttentionDenseTest, ALayersViewOfABiggerCache) {
  Random random(3);
  const int64_t layers = 5, layer = 3, width = 128 + 64;
  CacheSpec spec = makeSpec(random, Format::Bf16, 128, 64, 16);
  PagedBatch batch(random, spec, {100, 30}, {2, 1}, 0);
  TestTensor pool(MLA_DTYPE_BF16,
                  {batch.cache.latent.dim(0), 16, layers * width},
                  Layout::Dense, random);
  TestTensor latent = pool.columns(layer * width, 128);
  TestTensor pe = pool.columns(layer * width + 128, 64);
  latent.assign(batch.cache.latent.array());
  pe.assign(batch.cache.pe.array());
  batch.cache.latent = latent;
  batch.cache.pe = pe;
  compare(makeCase(random, batch, 4));
}

} // namespace
