//===- append_faults_test.cpp - Bad data met by mla_append ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendCase.h"

using namespace mla;
using namespace mla::test;

namespace {

class AppendFaultsTest : public OpTest {
protected:
  void run(const AppendCase &c) {
    mla_append_params params = c.params();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }
};

TEST_F(AppendFaultsTest, ASlotOfPaddingIsNotWritten) {
  Random random(4);
  AppendCase c;
  c.padding = 2;
  c.build(random);
  Canary canary(c.latent);
  for (int64_t t = 0; t < c.tokens; ++t)
    c.slots.set({t}, t < c.tokens - 2 ? -1 : static_cast<double>(t));
  run(c);
  EXPECT_EQ(canary.damage(), 0);
}

TEST_F(AppendFaultsTest, ReportsBadSlots) {
  for (double bad : {-2.0, 24.0, 0x1p62}) {
    Random random(5);
    AppendCase c;
    c.padding = -1;
    c.build(random);
    ASSERT_EQ(c.latent.dim(0) * c.pageSize, 24);
    Canary canary(c.latent);
    for (int64_t t = 0; t < c.tokens; ++t)
      c.slots.set({t}, -1);
    c.slots.set({1}, bad);
    run(c);
    expectFault("slots", std::to_string(static_cast<int64_t>(bad)));
    EXPECT_EQ(canary.damage(), 0);
  }
}

TEST_F(AppendFaultsTest, ReportsBadPositionsAndSparesTheCache) {
  for (double bad : {-1.0, static_cast<double>(maxPos)}) {
    Random random(6);
    AppendCase c;
    c.padding = -1;
    c.build(random);
    Canary canary(c.latent);
    c.positions.fill(bad);
    run(c);
    expectFault("positions", std::to_string(static_cast<int64_t>(bad)));
    EXPECT_EQ(canary.damage(), 0);
  }
}

TEST_F(AppendFaultsTest, ReportsABadNumberOfTokens) {
  for (int64_t bad : {-1, 6}) {
    Random random(7);
    AppendCase c;
    c.padding = 0;
    c.build(random);
    c.cuQ.set({2}, static_cast<double>(bad));
    run(c);
    expectFault("cu_q", std::to_string(bad));
  }
}

} // namespace
