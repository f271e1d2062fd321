//===- project_v_test.cpp - mla_project_v ---------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/project_v.h"

using namespace mla;
using namespace mla::test;

namespace {

class ProjectVTest : public OpTest {
protected:
  /// The weight is the V rows of a w_kv_b, as in compiled programs.
  void compare(Random &random, int64_t tokens, int64_t heads, int64_t nope,
               int64_t value, int64_t latent, uint32_t dtype) {
    TestTensor o(random.chance(0.5) ? dtype : uint32_t{MLA_DTYPE_F32},
                 {tokens, heads, latent}, Layout::Gapped, random);
    TestTensor wKvB(dtype, {heads, nope + value, latent}, Layout::Gapped,
                    random);
    TestTensor out(dtype, {tokens, heads, value}, Layout::Gapped, random);
    SCOPED_TRACE(o.describe() + " x " + wKvB.describe());
    o.fillRandom(random);
    wKvB.fillRandom(random);
    // Dims 1 and 2 as rows of a per-head slice: offset by the K rows.
    mla_tensor wUv = *wKvB.get();
    wUv.shape[1] = value;
    wUv.byte_offset += nope * wUv.strides[1] * (mla_dtype_bits(wUv.dtype) / 8);
    reference::Array w({heads, value, latent}), wrong = w;
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t v = 0; v < value; ++v)
        for (int64_t l = 0; l < latent; ++l) {
          w.at(h, v, l) = wKvB.at({h, nope + v, l});
          wrong.at(h, v, l) = wKvB.at({h, v, l});
        }
    auto params = makeParams<mla_project_v_params>();
    params.o_latent = o.get();
    params.w_uv = &wUv;
    params.out = out.get();
    Canary canary(out);
    canary.allow(out);
    ASSERT_EQ(mla_project_v(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage(), 0);
    EXPECT_LE(relativeError(out.array(), reference::projectV(o.array(), w)),
              tolerance(dtype));
    if (tokens > 0) { // The comparison sees the K rows taken for the V rows.
      EXPECT_GT(
          relativeError(out.array(), reference::projectV(o.array(), wrong)),
          tolerance(dtype));
    }
  }
};

TEST_F(ProjectVTest, MultipliesPerHead) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare(random, random.pick<int64_t>({0, 1, 2, 3, 5, 37}),
            random.pick<int64_t>({1, 2, 3, 8}), random.pick<int64_t>({64, 128}),
            random.pick<int64_t>({64, 128}),
            random.pick<int64_t>({128, 256, 448, 512}),
            random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}));
  }
}

TEST_F(ProjectVTest, OddDims) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Random random(100 + seed);
    SCOPED_TRACE("seed " + std::to_string(100 + seed));
    compare(random, random.integer(0, 70), random.integer(1, 3),
            random.integer(1, 9), random.integer(1, 40), random.integer(1, 40),
            MLA_DTYPE_F32);
  }
}

TEST_F(ProjectVTest, ManyHeads) {
  Random random(200);
  for (int64_t heads : {16, 20, 32, 40, 64, 96, 128})
    compare(random, 3, heads, 16, 32, 128, MLA_DTYPE_F32);
}

} // namespace
