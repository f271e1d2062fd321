//===- fp8_cache_test.cpp - Quantized caches written and read -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/gather_kv.h"
#include "reference/quantize.h"

using namespace mla;
using namespace mla::test;

namespace {

class Fp8CacheTest : public OpTest {
protected:
  void gather(const PagedBatch &batch, const TestTensor &cKv,
              const TestTensor &kPe, int64_t start, int64_t length) {
    auto params = makeParams<mla_gather_kv_params>();
    batch.cache.set(params);
    params.page_table = batch.pageTable.get();
    params.kv_lens = batch.kvLens.get();
    params.c_kv = cKv.get();
    params.k_pe = kPe.get();
    params.window_start = start;
    params.window_length = length;
    ASSERT_EQ(mla_gather_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  /// Writes a row for each token of the batch's only sequence.
  void append(const PagedBatch &batch, const TestTensor &cKv,
              const TestTensor &kPe) {
    TestTensor slots(MLA_DTYPE_I64, {cKv.dim(0)}, Layout::Dense, random);
    int64_t pageSize = batch.spec.pageSize;
    for (int64_t t = 0; t < cKv.dim(0); ++t)
      slots.set({t}, batch.pageTable.at({0, t / pageSize}) *
                             static_cast<double>(pageSize) +
                         static_cast<double>(t % pageSize));
    auto params = makeParams<mla_append_params>();
    batch.cache.set(params);
    params.c_kv = cKv.get();
    params.k_pe = kPe.get();
    params.slots = slots.get();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  /// A tensor of [rows, width], absent where there is no width.
  TestTensor makeRows(uint32_t dtype, int64_t rows, int64_t width) {
    if (width == 0)
      return TestTensor();
    return TestTensor(dtype, {rows, width}, Layout::Gapped, random);
  }

  /// The array's values as `dtype` holds them.
  static reference::Array rounded(uint32_t dtype, reference::Array array) {
    for (double &value : array.data) {
      uint64_t bits = 0;
      encode(dtype, value, &bits);
      value = decode(dtype, &bits);
    }
    return array;
  }

  /// What a row reads as after `spec` has held it.
  static reference::Array throughLatent(const CacheSpec &spec,
                                        reference::Array rows) {
    if (!spec.blockScales)
      return throughPart(spec.latentDtype, spec.latentScale, rows);
    for (size_t i = 0; i < rows.data.size(); i += reference::scaleBlock) {
      double *block = &rows.data[i];
      float scale = reference::blockScale(block, reference::scaleBlock);
      for (int64_t j = 0; j < reference::scaleBlock; ++j)
        block[j] =
            reference::dequantize(reference::quantize(block[j], scale), scale);
    }
    return rows;
  }
  static reference::Array throughPart(uint32_t dtype, float scale,
                                      const reference::Array &rows) {
    if (dtype != MLA_DTYPE_F8E4M3FN)
      return rounded(dtype, rows);
    return reference::dequantize(reference::quantize(rows, scale), scale);
  }

  Random random{7};
};

TEST_F(Fp8CacheTest, WhatIsReadIsWhatWasQuantized) {
  for (uint64_t seed = 0; seed < 80; ++seed) {
    random = Random(seed);
    CacheSpec spec = randomFp8Spec(random);
    int64_t tokens = random.integer(1, 70);
    PagedBatch batch(random, spec, {tokens}, {tokens}, 0);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": latent " +
                 batch.cache.latent.describe() + ", pe " +
                 batch.cache.pe.describe() + ", scales " +
                 batch.cache.scales.describe());
    uint32_t dtype =
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    TestTensor cKv = makeRows(dtype, tokens, spec.latentWidth);
    TestTensor kPe = makeRows(dtype, tokens, spec.peWidth);
    for (const TestTensor *part : {&cKv, &kPe})
      if (*part)
        part->fillRandom(random, -30, 30);
    append(batch, cKv, kPe);
    for (uint32_t out : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
      TestTensor latent = makeRows(out, tokens, spec.latentWidth);
      TestTensor pe = makeRows(out, tokens, spec.peWidth);
      gather(batch, latent, pe, 0, tokens);
      EXPECT_EQ(latent.array().data,
                rounded(out, throughLatent(spec, cKv.array())).data);
      EXPECT_EQ(
          pe.array().data,
          rounded(out, throughPart(spec.peDtype, spec.peScale, kPe.array()))
              .data);
    }
    if (HasFailure())
      return;
  }
}

TEST_F(Fp8CacheTest, GathersWindows) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    random = Random(seed);
    CacheSpec spec = randomFp8Spec(random);
    PagedBatch batch = randomBatch(random, spec, random.integer(0, 3), 40, 5);
    int64_t start = random.integer(0, 20), length = random.integer(1, 40);
    int64_t rows = batch.numSeqs * length;
    uint32_t out = random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    TestTensor cKv = makeRows(out, rows, spec.latentWidth);
    TestTensor kPe = makeRows(out, rows, spec.peWidth);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": latent " +
                 batch.cache.latent.describe());
    Canary canary(cKv);
    canary.allow(cKv);
    gather(batch, cKv, kPe, start, length);
    EXPECT_EQ(canary.damage(), 0);
    auto expected = [&](const CachePool &cache) {
      return reference::gatherKv(cache.latentValues(), cache.peValues(),
                                 batch.pageTable.array(), batch.kvLens.array(),
                                 start, length);
    };
    reference::GatheredKv right = expected(batch.cache);
    EXPECT_EQ(cKv.array().data, rounded(out, right.cKv).data);
    EXPECT_EQ(kPe.array().data, rounded(out, right.kPe).data);
    // Where the parts lie is no matter.
    PagedBatch other = batch;
    other.cache = batch.cache.moved(random, spec, random.chance(0.5));
    TestTensor cKvOther = makeRows(out, rows, spec.latentWidth);
    TestTensor kPeOther = makeRows(out, rows, spec.peWidth);
    gather(other, cKvOther, kPeOther, start, length);
    EXPECT_TRUE(cKvOther.sameBits(cKv));
    EXPECT_TRUE(!kPe || kPeOther.sameBits(kPe));
    // One scale for the two parts shows in each.
    CachePool wrong = batch.cache;
    std::swap(wrong.latentScale, wrong.peScale);
    if (wrong.latentScale && wrong.peScale && start == 0 && rows > 0 &&
        batch.kvLens.at({0}) > 0) {
      EXPECT_NE(cKv.array().data, rounded(out, expected(wrong).cKv).data);
      EXPECT_NE(kPe.array().data, rounded(out, expected(wrong).kPe).data);
    }
  }
}

TEST_F(Fp8CacheTest, ABadScaleIsReportedAndNothingRead) {
  CacheSpec spec;
  spec.latentDtype = spec.peDtype = MLA_DTYPE_F8E4M3FN;
  PagedBatch batch(random, spec, {20}, {1}, 0);
  TestTensor cKv = makeRows(MLA_DTYPE_F32, 10, spec.latentWidth);
  TestTensor kPe = makeRows(MLA_DTYPE_F32, 10, spec.peWidth);
  const std::pair<const char *, TestTensor> scales[] = {
      {"latent_scale", batch.cache.latentScale},
      {"pe_scale", batch.cache.peScale}};
  for (const auto &[name, scale] : scales) {
    scale.set({}, std::nan(""));
    gather(batch, cKv, kPe, 0, 10);
    expectFault(std::string(name) + ": expected a positive normal f32", "nan");
    EXPECT_EQ(cKv.array().data, std::vector<double>(10 * 512, 0.0));
    EXPECT_EQ(kPe.array().data, std::vector<double>(10 * 64, 0.0));
    scale.set({}, 1);
  }
  gather(batch, cKv, kPe, 0, 10);
  EXPECT_NE(cKv.array().data, std::vector<double>(10 * 512, 0.0));
}

} // namespace
