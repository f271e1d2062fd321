//===- absorbed_attention_fp8_test.cpp - Over quantized caches ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"

using namespace mla;
using namespace mla::test;

namespace {

class AbsorbedAttentionFp8Test : public OpTest {
protected:
  /// An fp8 query where the cache lets it be, with a scale of its own.
  static AttentionCase makeCase(Random &random, const PagedBatch &batch,
                                int64_t heads, uint32_t dtype) {
    bool fp8 = !batch.spec.blockScales && random.chance(0.6);
    AttentionCase c(random, batch, heads,
                    fp8 ? uint32_t{MLA_DTYPE_F8E4M3FN} : dtype, MLA_DTYPE_F32);
    if (fp8)
      c.queryScale = makeScalar(randomScale(random));
    return c;
  }

  void run(const AttentionCase &c) {
    mla_absorbed_attention_params params = c.params();
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
  }

  static double bound(const AttentionCase &c) {
    return attentionTolerance(c.query.dtype(), c.o.dtype());
  }

  static double error(const AttentionCase &c,
                      const reference::AbsorbedAttention &formula) {
    reference::State expected = formula.compute();
    return std::max(relativeError(c.o.array(), expected.o),
                    relativeError(c.lse.array(), expected.lse));
  }
};

TEST_F(AbsorbedAttentionFp8Test, RaggedBatches) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    Random random(seed);
    CacheSpec spec = randomFp8Spec(random);
    int64_t most = random.pick<int64_t>({3, 40, 150});
    PagedBatch batch = randomBatch(random, spec, random.integer(0, 4), most,
                                   random.integer(0, 9));
    AttentionCase c =
        makeCase(random, batch, random.pick<int64_t>({1, 2, 3, 16}),
                 random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}));
    if (random.chance(0.3))
      c.addSinks(random);
    if (random.chance(0.3))
      c.addIndices(random, random.integer(1, 80), most);
    if (random.chance(0.3))
      c.addBounds(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": query " +
                 c.query.describe() + ", latent " +
                 batch.cache.latent.describe() + ", pe " +
                 batch.cache.pe.describe() + ", scales " +
                 batch.cache.scales.describe());
    Canary o(c.o), lse(c.lse), cache(batch.cache.latent);
    o.allow(c.o);
    lse.allow(c.lse);
    run(c);
    EXPECT_EQ(o.damage() + lse.damage() + cache.damage(), 0);
    EXPECT_LE(error(c, c.formula()), bound(c));
    if (HasFailure())
      return;
  }
}

TEST_F(AbsorbedAttentionFp8Test, OnePoolAndSeveralGiveTheSame) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    CacheSpec spec = randomFp8Spec(random);
    AttentionCase c =
        makeCase(random, PagedBatch(random, spec, {40, 3}, {2, 1}, 0), 2,
                 MLA_DTYPE_BF16);
    CachePool original = c.batch.cache;
    reference::Array results[2];
    for (bool onePool : {false, true}) {
      c.batch.cache = original.moved(random, spec, onePool);
      c.o.fill(0);
      run(c);
      results[onePool] = c.o.array();
    }
    // A GPU may take another path through memory that is aligned otherwise.
    EXPECT_LE(relativeError(results[0], results[1]),
              testBackend().isCpu() ? 0 : bound(c));
    EXPECT_GT(*std::max_element(results[0].data.begin(), results[0].data.end()),
              0);
  }
}

TEST_F(AbsorbedAttentionFp8Test, NoScaleStandsInForAnother) {
  Random random(1);
  CacheSpec spec;
  spec.latentDtype = spec.peDtype = MLA_DTYPE_F8E4M3FN;
  spec.latentScale = 0.75;
  spec.peScale = 1.25;
  AttentionCase c(random, PagedBatch(random, spec, {60, 33}, {4, 2}, 0), 3,
                  MLA_DTYPE_F8E4M3FN, MLA_DTYPE_F32);
  c.queryScale = makeScalar(1.5);
  run(c);
  EXPECT_LE(error(c, c.formula()), bound(c));
  AttentionCase wrong = c;
  std::swap(wrong.queryScale, wrong.batch.cache.latentScale);
  EXPECT_GT(error(c, wrong.formula()), 1e-2);
  wrong = c;
  std::swap(wrong.queryScale, wrong.batch.cache.peScale);
  EXPECT_GT(error(c, wrong.formula()), 1e-2);
  wrong = c;
  std::swap(wrong.batch.cache.latentScale, wrong.batch.cache.peScale);
  EXPECT_GT(error(c, wrong.formula()), 1e-2);
}

TEST_F(AbsorbedAttentionFp8Test, EachBlockHasItsScale) {
  Random random(2);
  CacheSpec spec;
  spec.latentDtype = MLA_DTYPE_F8E4M3FN;
  spec.peDtype = MLA_DTYPE_BF16;
  spec.blockScales = true;
  AttentionCase c(random, PagedBatch(random, spec, {60}, {2}, 0), 2,
                  MLA_DTYPE_BF16, MLA_DTYPE_F32);
  run(c);
  EXPECT_LE(error(c, c.formula()), bound(c));
  reference::AbsorbedAttention wrong = c.formula(); // block 0's for all
  reference::Array scales = c.batch.cache.scales.array();
  for (size_t i = 0; i < scales.data.size(); ++i)
    scales.data[i] = scales.data[i - i % 4];
  wrong.latent =
      reference::dequantizeBlocks(c.batch.cache.latent.array(), scales);
  EXPECT_GT(error(c, wrong), 1e-2);
}

TEST_F(AbsorbedAttentionFp8Test, ABadScaleIsReportedAndNothingRead) {
  Random random(3);
  CacheSpec spec;
  spec.latentDtype = spec.peDtype = MLA_DTYPE_F8E4M3FN;
  AttentionCase c(random, PagedBatch(random, spec, {20}, {2}, 0), 2,
                  MLA_DTYPE_F8E4M3FN, MLA_DTYPE_F32);
  c.queryScale = makeScalar(1);
  const double inf = std::numeric_limits<double>::infinity();
  const std::pair<const char *, TestTensor> scales[] = {
      {"query_scale", c.queryScale},
      {"latent_scale", c.batch.cache.latentScale},
      {"pe_scale", c.batch.cache.peScale}};
  for (const auto &[name, scale] : scales) {
    scale.set({}, -2);
    run(c);
    expectFault(std::string(name) + ": expected a positive normal f32", "-2");
    EXPECT_EQ(c.o.array().data, std::vector<double>(2 * 2 * 512, 0.0));
    EXPECT_EQ(c.lse.array().data, std::vector<double>(4, -inf));
    scale.set({}, 1);
  }
  run(c);
  EXPECT_LE(error(c, c.formula()), bound(c));
}

} // namespace
