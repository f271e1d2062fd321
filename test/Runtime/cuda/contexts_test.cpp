//===- contexts_test.cpp - Several contexts, and what is refused ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "OpCase.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

using Contents = std::vector<std::vector<uint8_t>>;

/// Enqueues calls and doesn't wait.
void enqueue(const OpCase &c, const StreamContext &on, int times) {
  for (int i = 0; i < times; ++i)
    ASSERT_EQ(c.call(on.ctx), MLA_STATUS_OK) << on.ctx.error();
}

TEST(CudaContextsTest, TwoStreamsAtOnceComputeWhatOneDoes) {
  OpCases first = everyCase(1), second = everyCase(2);
  ASSERT_EQ(first.size(), second.size());
  StreamContext a, b;
  const int times = 20;
  for (size_t i = 0; i < first.size(); ++i) {
    // Not the same operation: other scratch, other sizes.
    OpCase &one = *first[i], &two = *second[second.size() - 1 - i];
    SCOPED_TRACE(one.name + " beside " + two.name);
    std::vector<Contents> before, alone;
    for (auto [c, on] : {std::pair(&one, &a), std::pair(&two, &b)}) {
      before.push_back(c->copies.contents());
      c->copies.upload();
      enqueue(*c, *on, times);
      c->copies.download(on->ctx);
      alone.push_back(c->copies.contents());
      c->copies.setContents(before.back());
      c->copies.upload();
    }
    for (int n = 0; n < times; ++n) {
      enqueue(one, a, 1);
      enqueue(two, b, 1);
    }
    one.copies.download(a.ctx);
    two.copies.download(b.ctx);
    EXPECT_NE(alone[0], before[0]);
    EXPECT_TRUE(one.copies.contents() == alone[0]);
    EXPECT_TRUE(two.copies.contents() == alone[1]);
    if (testing::Test::HasFailure())
      return;
  }
}

TEST(CudaContextsTest, ALimitOfMultiprocessorsChangesOnlyTheOrderOfSums) {
  for (const std::unique_ptr<OpCase> &c : everyCase(3)) {
    SCOPED_TRACE(c->name);
    StreamContext on;
    const Contents before = c->copies.contents();
    std::vector<reference::Array> all;
    for (int32_t limit : {0, 1, 7, 1000}) {
      SCOPED_TRACE("limit " + std::to_string(limit));
      ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
      Contents results[2];
      for (Contents &result : results) {
        c->copies.setContents(before);
        c->copies.upload();
        ASSERT_EQ(c->call(on.ctx), MLA_STATUS_OK) << on.ctx.error();
        c->copies.download(on.ctx);
        result = c->copies.contents();
      }
      EXPECT_TRUE(results[0] == results[1]);
      for (size_t i = 0; i < c->outputs.size(); ++i) {
        const TestTensor &output = c->outputs[i];
        if (limit == 0)
          all.push_back(output.array());
        EXPECT_LE(relativeError(output.array(), all[i]),
                  tolerance(output.dtype()));
      }
    }
    EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  }
}

TEST(CudaContextsTest, ADeviceThatIsNotThereIsRefusedWithTheRange) {
  int count = 0;
  expectCuda(cudaGetDeviceCount(&count));
  const std::string range = "[0, " + std::to_string(count) + ")";
  for (int32_t device : {-1, count, 1000}) {
    mla_context *ctx = nullptr;
    EXPECT_EQ(mla_context_create("cuda", device, &ctx), MLA_STATUS_NOT_FOUND);
    EXPECT_EQ(ctx, nullptr);
    std::string error = mla_last_error(nullptr);
    EXPECT_NE(error.find(range), std::string::npos) << error;
    EXPECT_NE(error.find(std::to_string(device)), std::string::npos) << error;
  }
}

TEST(CudaContextsTest, MemoryOfTheHostIsRefused) {
  TestContext ctx;
  TestTensor dst(MLA_DTYPE_F32, {4}, {1, 2, 3, 4});
  Canary canary(dst);
  auto params = makeParams<mla_fill_params>();
  params.dst = dst.get();
  EXPECT_EQ(::mla_fill(ctx, &params), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_NE(ctx.error().find("expected device cuda:"), std::string::npos)
      << ctx.error();
  EXPECT_EQ(canary.damage(), 0);
}

} // namespace
