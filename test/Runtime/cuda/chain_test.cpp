//===- chain_test.cpp - Calls in a graph that wait for each other ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CallChain.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

/// One replay after another of a graph of the chain, with nothing between.
void expectReplaysRight(StreamContext &on, int64_t tokens,
                        const CallChain::Aside *aside = nullptr) {
  SCOPED_TRACE(std::to_string(tokens) + " tokens");
  Random random(tokens);
  CallChain chain(random, tokens, 16);
  chain.upload();
  CapturedGraph graph(on, [&] { return chain.enqueue(on.ctx, aside); });
  ASSERT_TRUE(graph);
  const int64_t replays = 15;
  for (int64_t i = 0; i < replays; ++i)
    graph.replay();
  chain.download(on.ctx);
  EXPECT_EQ(chain.difference(replays), "");
  EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
}

TEST(CudaChainTest, ReplayedCallsSeeWhatTheOnesBeforeWrote) {
  for (int64_t tokens : {1, 16, 64, 300, 2000}) {
    StreamContext on;
    expectReplaysRight(on, tokens);
  }
}

/// An event, to let one stream wait for another.
struct TestEvent {
  TestEvent() {
    expectCuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  }
  ~TestEvent() { cudaEventDestroy(event); }
  TestEvent(const TestEvent &) = delete;

  void order(const TestStream &before, const TestStream &after) const {
    expectCuda(cudaEventRecord(event, before.stream));
    expectCuda(cudaStreamWaitEvent(after.stream, event));
  }

  cudaEvent_t event = nullptr;
};

TEST(CudaChainTest, CallsWaitForBothStreamsThatWereJoined) {
  for (int64_t tokens : {1, 64, 2000}) {
    StreamContext on, other;
    TestEvent forked, joined;
    CallChain::Aside aside{other.ctx, [&] { forked.order(on, other); },
                           [&] { joined.order(other, on); }};
    expectReplaysRight(on, tokens, &aside);
  }
}

} // namespace
