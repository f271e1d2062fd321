//===- AttentionChecks.cpp - What is to be so of calls on a GPU -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include "TestDtype.h"

using namespace mla;
using namespace mla::test;

void mla::test::expectRight(StreamContext &on, PagedAttention &attention) {
  ASSERT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  AttentionDifference difference = attention.difference();
  EXPECT_TRUE(difference.isWithin()) << difference.describe();
  EXPECT_EQ(difference.damage, 0u);
}

void mla::test::expectNoFault(StreamContext &on) {
  EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
}

reference::Array mla::test::download(const mla_tensor *tensor) {
  if (!tensor)
    return reference::Array();
  requireCuda(cudaDeviceSynchronize());
  int64_t size = sizeOf(tensor->dtype), last = 0;
  reference::Array result(
      std::vector<int64_t>(tensor->shape, tensor->shape + tensor->rank));
  for (int i = 0; i < tensor->rank; ++i)
    last += (tensor->shape[i] - 1) * tensor->strides[i];
  if (result.data.empty())
    return result;
  std::vector<char> bytes((last + 1) * size);
  requireCuda(cudaMemcpy(bytes.data(), addressOf(*tensor), bytes.size(),
                         cudaMemcpyDeviceToHost));
  for (size_t i = 0; i < result.data.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), offset = 0;
    for (int d = tensor->rank - 1; d >= 0; --d) {
      offset += rest % tensor->shape[d] * tensor->strides[d];
      rest /= tensor->shape[d];
    }
    result.data[i] = decode(tensor->dtype, bytes.data() + offset * size);
  }
  return result;
}

void mla::test::upload(const mla_tensor *tensor,
                       const reference::Array &values) {
  std::vector<char> bytes(bytesOf(*tensor));
  for (size_t i = 0; i < values.data.size(); ++i)
    encode(tensor->dtype, values.data[i],
           bytes.data() + i * sizeOf(tensor->dtype));
  requireCuda(cudaMemcpy(addressOf(*tensor), bytes.data(), bytes.size(),
                         cudaMemcpyHostToDevice));
  // The copy itself is waited for by nobody.
  requireCuda(cudaDeviceSynchronize());
}

bool mla::test::usesSm90(StreamContext &on, const PagedAttention &attention) {
  CapturedGraph graph(on, [&] { return attention.attend(on.ctx); });
  return graph && graph.kernelNames().find("Sm90") != std::string::npos;
}

bool mla::test::isHopper() {
  int major = 0, minor = 0, device = testBackend().device;
  requireCuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor,
                                     device));
  requireCuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor,
                                     device));
  return major == 9 && minor == 0;
}
