//===- capture_test.cpp - Calls in graphs that are replayed ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "OpCase.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

class CudaCaptureTest : public testing::Test {
protected:
  /// Captured first, so that nothing has been made ready by a call outside.
  void compareReplays(const OpCases &cases) {
    for (const std::unique_ptr<OpCase> &c : cases) {
      SCOPED_TRACE(c->name);
      StreamContext on;
      c->copies.upload();
      CapturedGraph graph(on, [&] { return c->call(on.ctx); });
      ASSERT_TRUE(graph);
      Random random(5);
      for (int round = 0; round < 4; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        c->change(random);
        auto before = c->copies.contents();
        c->copies.upload();
        graph.replay();
        c->copies.download(on.ctx);
        auto replayed = c->copies.contents();
        EXPECT_NE(replayed, before);
        c->copies.setContents(before);
        c->copies.upload();
        ASSERT_EQ(c->call(on.ctx), MLA_STATUS_OK) << on.ctx.error();
        c->copies.download(on.ctx);
        EXPECT_TRUE(replayed == c->copies.contents());
        expectNoNan(*c);
        EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
        if (HasFailure())
          break;
      }
    }
  }

  /// What isn't held by a sequence is NaN: rows, pages, gaps.
  static void expectNoNan(const OpCase &c) {
    for (const TestTensor &output : c.outputs)
      if (isFloat(output.dtype())) {
        int64_t count = 0;
        output.forEach(
            [&](const Shape &index) { count += std::isnan(output.at(index)); });
        EXPECT_EQ(count, 0);
      }
  }
};

TEST_F(CudaCaptureTest, ReplaysOfAppendEqualEagerRuns) {
  compareReplays(appendCases(1));
}

TEST_F(CudaCaptureTest, ReplaysOfAttentionEqualEagerRuns) {
  compareReplays(attentionCases(1));
}

TEST_F(CudaCaptureTest, ReplaysOfTheOthersEqualEagerRuns) {
  compareReplays(otherCases(1));
}

TEST_F(CudaCaptureTest, AppendIsOneKernelInEveryForm) {
  StreamContext on;
  for (const std::unique_ptr<OpCase> &c : appendCases(2)) {
    SCOPED_TRACE(c->name);
    CapturedGraph graph(on, [&] { return c->call(on.ctx); });
    ASSERT_TRUE(graph);
    CapturedGraph::Nodes nodes = graph.countNodes();
    EXPECT_EQ(nodes.kernels, 1u);
    EXPECT_EQ(nodes.fills + nodes.others, 0u);
  }
}

TEST_F(CudaCaptureTest, NothingIsCopiedOrDoneByTheHost) {
  for (const std::unique_ptr<OpCase> &c : everyCase(3)) {
    SCOPED_TRACE(c->name);
    StreamContext on;
    CapturedGraph graph(on, [&] { return c->call(on.ctx); });
    ASSERT_TRUE(graph);
    CapturedGraph::Nodes nodes = graph.countNodes();
    EXPECT_GT(nodes.kernels, 0u);
    // cuBLASLt may clear what its parts add to.
    EXPECT_EQ(nodes.others, 0u);
  }
}

} // namespace
