//===- append_scales_test.cpp - The scales of mla_append ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendCase.h"

using namespace mla;
using namespace mla::test;

namespace {

using AppendScalesTest = OpTest;

TEST_F(AppendScalesTest, BlockScalesAreTheLeastThatFit) {
  // 448 and the next number beyond it, at every exponent of f32; the smallest
  // of all; nothing.
  std::vector<std::pair<double, double>> cases = {
      {0, 1}, {0x1p-149, 0x1p-126}, {448 * 0x1p-126, 0x1p-126}};
  for (int power = -125; power <= 119; ++power) {
    cases.emplace_back(std::ldexp(448, power), std::ldexp(1, power));
    cases.emplace_back(std::ldexp(448.00003, power), std::ldexp(1, power + 1));
  }
  Random random(1);
  AppendCase c;
  c.tokens = static_cast<int64_t>(cases.size());
  c.latentWidth = 128;
  c.peWidth = 0;
  c.style = MLA_ROPE_NONE;
  c.withQuery = false;
  c.cacheDtype = MLA_DTYPE_F8E4M3FN;
  c.peDtype = MLA_DTYPE_BF16;
  c.blockScales = true;
  c.padding = -1;
  c.build(random);
  c.cKv.fill(0);
  for (int64_t t = 0; t < c.tokens; ++t) {
    c.cKv.set({t, 5}, (t % 2 ? -1 : 1) * cases[t].first);
    // They say nothing about the scale.
    c.cKv.set({t, 7}, std::numeric_limits<double>::infinity());
    c.cKv.set({t, 9}, std::nan(""));
    c.slots.set({t}, static_cast<double>(t));
  }
  mla_append_params params = c.params();
  ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  for (int64_t t = 0; t < c.tokens; ++t) {
    int64_t page = t / c.pageSize, line = t % c.pageSize;
    double scale = c.cache.scales.at({page, line, 0});
    EXPECT_EQ(scale, cases[t].second) << "for " << cases[t].first;
    EXPECT_LE(std::fabs(c.latent.at({page, line, 5})), 448);
    EXPECT_EQ(c.latent.at({page, line, 7}), 448);
    EXPECT_TRUE(std::isnan(c.latent.at({page, line, 9})));
  }
}

TEST_F(AppendScalesTest, ABadScaleWritesNoRow) {
  const double inf = std::numeric_limits<double>::infinity();
  for (double bad : {0.0, -1.0, inf, std::nan(""), 0x1p-127})
    for (int which = 0; which < 3; ++which) {
      Random random(2);
      AppendCase c;
      c.cacheDtype = c.queryDtype = MLA_DTYPE_F8E4M3FN;
      c.padding = -1;
      c.build(random);
      TestTensor scales[] = {c.queryScale, c.cache.latentScale,
                             c.cache.peScale};
      const char *const names[] = {"query_scale", "latent_scale", "pe_scale"};
      scales[which].set({}, bad);
      Canary canary(c.latent);
      mla_append_params params = c.params();
      ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
      expectFault(names[which], "expected a positive normal f32, got");
      EXPECT_EQ(canary.damage(), 0);
      reference::Array query = c.query.array();
      EXPECT_EQ(query.data, std::vector<double>(query.data.size(), 0.0));
    }
}

} // namespace
