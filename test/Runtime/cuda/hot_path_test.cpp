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

/// Launches of our own that a product of so many tokens takes; cuBLASLt's are
/// not counted.
int launchesOfProduct(int64_t tokens) {
  Random random(3);
  auto rows = [&](Shape shape) {
    int64_t width = shape.back();
    shape.back() += 8;
    TestTensor tensor(MLA_DTYPE_BF16, shape, Layout::Dense, random);
    tensor.fill(1);
    return tensor.columns(0, width);
  };
  TestTensor o = rows({tokens, 2, 64}), w = rows({2, 32, 64}),
             out = rows({tokens, 2, 32});
  auto params = makeParams<mla_project_v_params>();
  params.o_latent = o.get();
  params.w_uv = w.get();
  params.out = out.get();
  DeviceCopies copies;
  copies.take(params);
  StreamContext on;
  copies.upload();
  startCounting();
  EXPECT_EQ(::mla_project_v(on.ctx, &params), MLA_STATUS_OK) << on.ctx.error();
  int launches = stopCounting().launches;
  copies.download(on.ctx);
  EXPECT_EQ(out.at({tokens - 1, 1, 31}), 64);
  return launches;
}

TEST(CudaHotPathTest, OurKernelTakesFewTokens) {
  EXPECT_EQ(launchesOfProduct(1), 1);
  EXPECT_EQ(launchesOfProduct(8), 1);
  EXPECT_EQ(launchesOfProduct(500), 0);
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
