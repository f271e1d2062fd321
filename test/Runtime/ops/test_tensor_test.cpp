//===- test_tensor_test.cpp - The tests' own tools can fail ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestTensor.h"

#include <gtest/gtest.h>

using namespace mla;
using namespace mla::test;

TEST(TestTensorTest, CodecsFollowTheFormats) {
  // Bits and values from IEEE 754 and from bfloat16's definition.
  EXPECT_EQ(encodeFloat(1.0, 5, 10), 0x3C00u);
  EXPECT_EQ(encodeFloat(-2.0, 5, 10), 0xC000u);
  EXPECT_EQ(encodeFloat(65504.0, 5, 10), 0x7BFFu);
  EXPECT_EQ(encodeFloat(65520.0, 5, 10), 0x7C00u);
  EXPECT_EQ(encodeFloat(0x1p-24, 5, 10), 0x0001u);
  EXPECT_EQ(encodeFloat(0x1p-25, 5, 10), 0x0000u);
  EXPECT_EQ(encodeFloat(0x1.8p-24, 5, 10), 0x0002u);
  EXPECT_EQ(encodeFloat(0x1.ff8p-15, 5, 10), 0x03FFu);
  EXPECT_EQ(encodeFloat(0x1p-14, 5, 10), 0x0400u);
  EXPECT_EQ(encodeFloat(1.0, 8, 7), 0x3F80u);
  EXPECT_EQ(encodeFloat(0x1.01p0, 8, 7), 0x3F80u);
  EXPECT_EQ(encodeFloat(0x1.03p0, 8, 7), 0x3F82u);
  for (uint64_t bits = 0; bits < 0x10000; ++bits) {
    double half = decodeFloat(bits, 5, 10), brain = decodeFloat(bits, 8, 7);
    if (!std::isnan(half)) {
      ASSERT_EQ(encodeFloat(half, 5, 10), bits);
    }
    if (!std::isnan(brain)) {
      ASSERT_EQ(encodeFloat(brain, 8, 7), bits);
    }
  }
}

TEST(TestTensorTest, CanarySeesEveryByteOutsideTheView) {
  Random random(1);
  TestTensor tensor(MLA_DTYPE_BF16, {3, 4, 8}, Layout::Gapped, random);
  TestTensor view = tensor.slice(1).columns(2, 3);
  Canary canary(tensor);
  canary.allow(view);
  view.fill(1);
  EXPECT_EQ(canary.damage(), 0);
  tensor.set({1, 0, 5}, 1);
  EXPECT_EQ(canary.damage(), 2);
  tensor.address({0, 0, 0})[-1] = 0; // the guard, or a gap
  EXPECT_EQ(canary.damage(), 3);
}

TEST(TestTensorTest, MemoryStartsPoisoned) {
  Random random(2);
  for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16})
    EXPECT_TRUE(std::isnan(
        TestTensor(dtype, {2, 3}, Layout::Gapped, random).at({1, 2})));
}

TEST(TestTensorTest, RelativeErrorFails) {
  const double inf = std::numeric_limits<double>::infinity();
  reference::Array a({2}), b({2});
  a.data = {3, 4};
  b.data = {3, 4};
  EXPECT_EQ(relativeError(a, b), 0);
  a.data = {3, 4.5};
  EXPECT_DOUBLE_EQ(relativeError(a, b), 0.1);
  a.data = {3, std::nan("")};
  EXPECT_FALSE(relativeError(a, b) <= 1);
  a.data = {3, -inf};
  b.data = {3, -inf};
  EXPECT_EQ(relativeError(a, b), 0);
  a.data = {3, -1e30};
  EXPECT_FALSE(relativeError(a, b) <= 1);
  b.data = {0, 0};
  EXPECT_GT(relativeError(a, b), 1);
  EXPECT_FALSE(relativeError(a, reference::Array({1})) <= 1);
}
