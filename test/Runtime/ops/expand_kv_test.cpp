//===- expand_kv_test.cpp - mla_expand_kv ---------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/expand_kv.h"

using namespace mla;
using namespace mla::test;

namespace {

class ExpandKvTest : public OpTest {
protected:
  void run(const TestTensor &x, const TestTensor &w, const TestTensor &out) {
    auto params = makeParams<mla_expand_kv_params>();
    params.c_kv = x.get();
    params.w_kv_b = w.get();
    params.kv = out.get();
    ASSERT_EQ(mla_expand_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  void compare(Random &random, int64_t rows, int64_t heads, int64_t width,
               int64_t latent, uint32_t dtype) {
    TestTensor cKv(dtype, {rows, latent}, Layout::Gapped, random);
    TestTensor w(dtype, {heads, width, latent}, Layout::Gapped, random);
    TestTensor kv(dtype, {rows, heads, width}, Layout::Gapped, random);
    SCOPED_TRACE(cKv.describe() + " x " + w.describe());
    cKv.fillRandom(random);
    w.fillRandom(random);
    Canary canary(kv);
    canary.allow(kv);
    run(cKv, w, kv);
    EXPECT_EQ(canary.damage(), 0);
    EXPECT_LE(
        relativeError(kv.array(), reference::expandKv(cKv.array(), w.array())),
        tolerance(dtype));
    if (rows == 0)
      return;
    cKv.slice(0).fillRandom(random);
    EXPECT_GT(
        relativeError(kv.array(), reference::expandKv(cKv.array(), w.array())),
        tolerance(dtype));
  }
};

TEST_F(ExpandKvTest, MultipliesPerHead) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare(random, random.integer(0, 70), random.pick<int64_t>({1, 2, 3, 8}),
            random.integer(1, 100), random.pick<int64_t>({5, 128, 256, 512}),
            random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}));
  }
}

} // namespace
