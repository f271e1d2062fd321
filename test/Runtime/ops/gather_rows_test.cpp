//===- gather_rows_test.cpp - Every form of mla_gather_kv, bit for bit ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "GatherRows.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

namespace {

class GatherRowsTest : public OpTest {
protected:
  void run(GatherRows &c) {
    SCOPED_TRACE(c.describe());
    c.expect();
    mla_gather_kv_params params = c.params();
    ASSERT_EQ(mla_gather_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(c.image.difference(), "");
  }

  static void setFp8(CacheSpec &spec, bool withBlocks) {
    spec.latentDtype = MLA_DTYPE_F8E4M3FN;
    spec.peDtype = withBlocks ? MLA_DTYPE_BF16 : MLA_DTYPE_F8E4M3FN;
    spec.blockScales = withBlocks;
    spec.latentScale = 0.37f;
    spec.peScale = 0.021f;
  }

  static GatherRows randomCase(Random &random) {
    GatherRows c;
    c.out = random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16});
    c.spec.latentWidth =
        random.pick<int64_t>({64, 100, 128, 256, 448, 512, 512, 576});
    c.spec.peWidth = random.pick<int64_t>({0, 16, 20, 32, 64, 64, 128});
    c.spec.pageSize = random.pick<int64_t>({1, 16, 48, 64});
    c.spec.latentDtype = c.spec.peDtype = c.out;
    if (random.chance(0.1))
      c.out = MLA_DTYPE_F32;
    else if (random.chance(0.5))
      setFp8(c.spec, c.spec.latentWidth % 128 == 0 && random.chance(0.5));
    c.spec.layout = random.chance(0.2) ? Layout::Gapped : Layout::Dense;
    c.onePool = random.chance(0.7);
    c.pages = random.integer(1, 5);
    c.seqs = random.integer(0, 6);
    c.pagesEach = random.integer(1, 9);
    int64_t most = c.pagesEach * c.spec.pageSize;
    c.start = random.chance(0.5) ? 0 : random.integer(0, most);
    c.length = random.integer(1, std::min<int64_t>(most + 5, 90));
    c.sliced = random.chance(0.5);
    c.unit = random.pick<int64_t>({0, 0, 0, 16, 8, 4, 2, 1});
    c.build(random);
    return c;
  }

  /// More than a GPU's threads move at once, four times over.
  static GatherRows largeCase() {
    GatherRows c;
    c.spec.latentDtype = c.spec.peDtype = MLA_DTYPE_BF16;
    c.spec.pageSize = 64;
    c.seqs = 23;
    c.pagesEach = 12;
    c.length = 700;
    c.start = 13;
    return c;
  }
};

TEST_F(GatherRowsTest, EveryByteOfRandomForms) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    GatherRows c = randomCase(random);
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(c);
    if (HasFailure())
      return;
  }
}

TEST_F(GatherRowsTest, ManyRows) {
  for (bool isFp8 : {false, true})
    for (bool withBlocks : {false, true}) {
      if (withBlocks && !isFp8)
        continue;
      Random random(3);
      GatherRows c = largeCase();
      if (isFp8)
        setFp8(c.spec, withBlocks);
      c.sliced = withBlocks;
      c.build(random);
      ASSERT_GT(c.seqs * c.length * 576 * 2, int64_t{4} * 132 * 2048 * 16);
      run(c);
    }
}

TEST_F(GatherRowsTest, ManySequences) {
  Random random(4);
  GatherRows c = largeCase();
  c.spec.peWidth = 0;
  c.seqs = 9000;
  c.length = 2;
  c.start = 300;
  c.build(random);
  run(c);
}

TEST_F(GatherRowsTest, BadPagesAmongMany) {
  for (double bad : {-1.0, 5.0, 0x1p30}) {
    Random random(5);
    GatherRows c = largeCase();
    c.build(random);
    c.kvLens.fill(12 * 64);
    for (int64_t b = 0; b < c.seqs; ++b)
      c.pageTable.set({b, random.integer(1, 10)}, bad);
    run(c);
    expectFault("page_table", std::to_string(static_cast<int64_t>(bad)));
  }
}

TEST_F(GatherRowsTest, BadLengthsAndScalesAmongMany) {
  for (int which = 0; which < 4; ++which) {
    Random random(6);
    GatherRows c = largeCase();
    setFp8(c.spec, false);
    c.build(random);
    const char *const names[] = {"kv_lens", "max_kv", "latent_scale",
                                 "pe_scale"};
    std::string value = "expected a positive normal f32, got";
    if (which < 2) {
      c.maxKv = which == 1 ? 500 : 0;
      c.kvLens.fill(400);
      value = std::to_string(which == 1 ? 501 : 12 * 64 + 1);
      for (int64_t b : {int64_t{0}, int64_t{9}, c.seqs - 1})
        c.kvLens.set({b}, std::stod(value));
    } else {
      (which == 2 ? c.cache.latentScale : c.cache.peScale).set({}, -1);
    }
    run(c);
    expectFault(names[which], value);
  }
}

TEST_F(GatherRowsTest, WhatIsWrongShows) {
  Random random(7);
  GatherRows c = largeCase();
  c.seqs = 2;
  c.build(random);
  run(c);
  const uint8_t change = 0x41;
  *c.kPe.address({1399, 63}) ^= change;
  EXPECT_EQ(c.image.difference().find("k_pe: 1 of 89600 elements differ, first "
                                      "[1399, 63]: expected "),
            0u)
      << c.image.difference();
  *c.kPe.address({1399, 63}) ^= change;
  *(c.cKv.address({0, 0}) - 1) ^= change;
  EXPECT_EQ(c.image.difference(), "1 bytes beside the elements changed; ");
}

} // namespace
