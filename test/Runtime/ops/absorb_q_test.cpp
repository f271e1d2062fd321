//===- absorb_q_test.cpp - mla_absorb_q -----------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/absorb_q.h"

using namespace mla;
using namespace mla::test;

namespace {

class AbsorbQTest : public OpTest {
protected:
  void run(const TestTensor &x, const TestTensor &w, const TestTensor &out) {
    auto params = makeParams<mla_absorb_q_params>();
    params.q_nope = x.get();
    params.w_uk = w.get();
    params.query = out.get();
    ASSERT_EQ(mla_absorb_q(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  /// Writes the latent columns of an absorbed query, as compiled programs do.
  void compare(Random &random, int64_t tokens, int64_t heads, int64_t nope,
               int64_t latent, int64_t pe, uint32_t dtype) {
    TestTensor q(dtype, {tokens, heads, nope + pe}, Layout::Gapped, random);
    TestTensor w(random.chance(0.5) ? dtype : uint32_t{MLA_DTYPE_BF16},
                 {heads, nope, latent}, Layout::Gapped, random);
    TestTensor query(dtype, {tokens, heads, latent + pe}, Layout::Gapped,
                     random);
    TestTensor qNope = q.columns(0, nope), out = query.columns(0, latent);
    SCOPED_TRACE(qNope.describe() + " x " + w.describe());
    qNope.fillRandom(random); // the pe columns stay NaN
    w.fillRandom(random);
    Canary canary(query);
    canary.allow(out);
    run(qNope, w, out);
    EXPECT_EQ(canary.damage(), 0);
    reference::Array expected = reference::absorbQ(qNope.array(), w.array());
    EXPECT_LE(relativeError(out.array(), expected), tolerance(dtype));
    if (tokens == 0)
      return;
    // The comparison sees a head with the weight of another.
    w.slice(0).fillRandom(random);
    EXPECT_GT(relativeError(out.array(),
                            reference::absorbQ(qNope.array(), w.array())),
              tolerance(dtype));
  }
};

TEST_F(AbsorbQTest, MultipliesPerHead) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto [latent, pe] = random.pick<std::pair<int64_t, int64_t>>(
        {{512, 64}, {512, 0}, {256, 64}, {256, 32}, {128, 32}, {448, 64}});
    compare(random, random.pick<int64_t>({0, 1, 2, 3, 5, 37}),
            random.pick<int64_t>({1, 2, 3, 8}),
            random.pick<int64_t>({64, 128, 192}), latent, pe,
            random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}));
  }
}

TEST_F(AbsorbQTest, OddDims) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(100 + seed);
    SCOPED_TRACE("seed " + std::to_string(100 + seed));
    compare(random, random.integer(0, 70), random.integer(1, 3),
            random.integer(1, 40), random.integer(1, 40), random.integer(0, 3),
            MLA_DTYPE_F32);
  }
}

TEST_F(AbsorbQTest, ManyHeads) {
  Random random(200);
  for (int64_t heads : {16, 20, 32, 40, 64, 96, 128})
    compare(random, 3, heads, 32, 128, 32, MLA_DTYPE_F32);
}

TEST_F(AbsorbQTest, ASizeOfARealModel) {
  Random random(201);
  compare(random, 37, 128, 128, 512, 64, MLA_DTYPE_BF16);
}

} // namespace
