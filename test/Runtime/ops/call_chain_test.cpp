//===- call_chain_test.cpp - Calls in a row that wait for each other ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CallChain.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

namespace {

using CallChainTest = OpTest;

TEST_F(CallChainTest, EachSeesWhatTheOneBeforeWrote) {
  for (int64_t tokens : {1, 2, 16, 100})
    for (int64_t heads : {1, 16}) {
      SCOPED_TRACE(std::to_string(tokens) + " tokens, " +
                   std::to_string(heads) + " heads");
      Random random(tokens);
      CallChain chain(random, tokens, heads);
      chain.upload();
      for (int64_t times = 1; times <= 3; ++times) {
        ASSERT_EQ(chain.enqueue(ctx), MLA_STATUS_OK) << ctx.error();
        chain.download(ctx);
        EXPECT_EQ(chain.difference(times), "");
      }
      // A round too few shows.
      EXPECT_NE(chain.difference(2), "");
    }
}

} // namespace
