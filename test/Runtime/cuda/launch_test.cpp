//===- launch_test.cpp - What a call launches, in every form --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "LaunchForms.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

class CudaLaunchTest : public testing::Test {
protected:
  static FakeTensors makeTensors() {
    return FakeTensors(MLA_DEVICE_CUDA, testBackend().device);
  }

  /// The nodes of a graph of what `calls` enqueues.
  CapturedGraph::Nodes nodesOf(const std::function<mla_status()> &calls) {
    CapturedGraph graph(on, calls);
    return graph ? graph.countNodes() : CapturedGraph::Nodes{99, 99, 99};
  }

  /// True when `calls` enqueues so many kernels and nothing else.
  bool launches(size_t kernels, const std::function<mla_status()> &calls) {
    CapturedGraph::Nodes nodes = nodesOf(calls);
    EXPECT_EQ(nodes.kernels, kernels);
    EXPECT_EQ(nodes.fills + nodes.others, 0u);
    return !HasFailure();
  }

  StreamContext on;
};

TEST_F(CudaLaunchTest, AppendIsOneKernelWhateverItsForm) {
  Random random(1);
  std::vector<AppendForm> forms = appendForms(random, 10000);
  int64_t without = 0;
  for (const AppendForm &form : forms) {
    FakeTensors tensors = makeTensors();
    mla_append_params params = form.params(tensors);
    size_t kernels = form.tokens > 0 ? 1 : 0;
    without += kernels == 0;
    ASSERT_TRUE(launches(kernels, [&] {
      return ::mla_append(on.ctx, &params);
    })) << form.describe();
  }
  EXPECT_GT(without, 1000);
}

TEST_F(CudaLaunchTest, GatherKvIsOneKernelWhateverItsForm) {
  Random random(2);
  for (const GatherForm &form : gatherForms(random, 3000)) {
    FakeTensors tensors = makeTensors();
    mla_gather_kv_params params = form.params(tensors);
    size_t kernels = form.seqs > 0 ? 1 : 0;
    ASSERT_TRUE(launches(kernels, [&] {
      return ::mla_gather_kv(on.ctx, &params);
    })) << form.describe();
  }
}

TEST_F(CudaLaunchTest, MoreThanOneIsCounted) {
  FakeTensors tensors = makeTensors();
  AppendForm form;
  mla_append_params append = form.params(tensors);
  mla_gather_kv_params gather = GatherForm().params(tensors);
  CapturedGraph::Nodes nodes = nodesOf([&] {
    mla_status status = ::mla_append(on.ctx, &append);
    return status ? status : ::mla_append(on.ctx, &append);
  });
  EXPECT_EQ(nodes.kernels, 2u);
  nodes = nodesOf([&] {
    mla_status status = ::mla_append(on.ctx, &append);
    return status ? status : ::mla_gather_kv(on.ctx, &gather);
  });
  EXPECT_EQ(nodes.kernels, 2u);
  // A fill beside a kernel is one too many; it wants memory that is there.
  void *byte = mla_device_alloc(on.ctx, 1);
  nodes = nodesOf([&] {
    expectCuda(cudaMemsetAsync(byte, 0, 1, on.stream));
    return ::mla_append(on.ctx, &append);
  });
  mla_device_free(on.ctx, byte);
  EXPECT_EQ(nodes.kernels, 1u);
  EXPECT_EQ(nodes.fills, 1u);
}

} // namespace
