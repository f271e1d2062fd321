//===- hot_path_test.cpp - No allocation, no copy, no waiting -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Intercept.h"
#include "OpCase.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

const std::vector<std::string> nothing;

TEST(CudaHotPathTest, TheSecondCallOnlyLaunches) {
  for (const std::unique_ptr<OpCase> &c : everyCase(1)) {
    SCOPED_TRACE(c->name);
    StreamContext on;
    c->copies.upload();
    ASSERT_EQ(c->call(on.ctx), MLA_STATUS_OK) << on.ctx.error();
    expectCuda(cudaStreamSynchronize(on.stream));
    startCounting();
    mla_status status = c->call(on.ctx);
    CudaCalls calls = stopCounting();
    EXPECT_EQ(status, MLA_STATUS_OK) << on.ctx.error();
    EXPECT_EQ(calls.blocking, nothing);
    EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  }
}

TEST(CudaHotPathTest, AppendLaunchesOnce) {
  for (const std::unique_ptr<OpCase> &c : appendCases(1)) {
    SCOPED_TRACE(c->name);
    StreamContext on;
    c->copies.upload();
    startCounting();
    mla_status status = c->call(on.ctx);
    CudaCalls calls = stopCounting();
    EXPECT_EQ(status, MLA_STATUS_OK) << on.ctx.error();
    EXPECT_EQ(calls.launches, 1);
    // The first call is no other than the second.
    EXPECT_EQ(calls.blocking, nothing);
  }
}

TEST(CudaHotPathTest, TheCountSeesWhatBlocks) {
  TestContext ctx;
  startCounting();
  void *data = mla_device_alloc(ctx, 100);
  char bytes[100];
  EXPECT_EQ(mla_download(ctx, bytes, data, sizeof(bytes)), MLA_STATUS_OK);
  mla_device_free(ctx, data);
  CudaCalls calls = stopCounting();
  EXPECT_EQ(calls.blocking,
            (std::vector<std::string>{"cudaMalloc", "cudaMemcpyAsync",
                                      "cudaStreamSynchronize", "cudaFree"}));
  EXPECT_EQ(calls.launches, 0);
}

} // namespace
