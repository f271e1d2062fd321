//===- copy_test.cpp - mla_copy -------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/copy.h"

using namespace mla;
using namespace mla::test;

namespace {

class CopyTest : public OpTest {
protected:
  mla_status copy(const mla_tensor *src, const mla_tensor *dst) {
    auto params = makeParams<mla_copy_params>();
    params.src = src;
    params.dst = dst;
    return mla_copy(ctx, &params);
  }
};

TEST_F(CopyTest, CopiesBitForBit) {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    Shape shape;
    for (int64_t i = random.integer(0, 4); i > 0; --i)
      shape.push_back(random.integer(0, 7));
    uint32_t dtype = random.pick<uint32_t>(
        {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16, MLA_DTYPE_F64,
         MLA_DTYPE_I8, MLA_DTYPE_I32, MLA_DTYPE_I64, MLA_DTYPE_U8,
         MLA_DTYPE_BOOL, MLA_DTYPE_F8E4M3FN});
    TestTensor src(dtype, shape, Layout::Gapped, random);
    TestTensor dst(dtype, shape, Layout::Gapped, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + src.describe());
    src.forEach([&](const Shape &index) {
      for (uint32_t i = 0; i < mla_dtype_bits(dtype) / 8; ++i)
        src.address(index)[i] = static_cast<uint8_t>(random.integer(0, 255));
    });
    Canary canary(dst), input(src);
    canary.allow(dst);
    ASSERT_EQ(copy(src.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage() + input.damage(), 0);
    EXPECT_TRUE(dst.sameBits(src));
  }
}

TEST_F(CopyTest, ConvertsToTheNearest) {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    Shape shape;
    for (int64_t i = random.integer(0, 4); i > 0; --i)
      shape.push_back(random.integer(0, 7));
    auto dtype = [&] {
      return random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    };
    TestTensor src(dtype(), shape, Layout::Gapped, random);
    TestTensor dst(dtype(), shape, Layout::Gapped, random);
    TestTensor expected(dst.dtype(), shape, Layout::Dense, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + src.describe() +
                 " to " + dst.describe());
    // Numbers beyond f16's range, its subnormals, infinities.
    src.forEach([&](const Shape &index) {
      double value = std::ldexp(random.real(-1, 1), random.integer(-30, 20));
      src.set(index, random.chance(0.1) ? value * 1e300 * 1e300 : value);
      expected.set(index, src.at(index));
    });
    Canary canary(dst), input(src);
    canary.allow(dst);
    ASSERT_EQ(copy(src.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage() + input.damage(), 0);
    EXPECT_TRUE(dst.sameBits(expected));
  }
}

// What a GPU moves by 16 bytes: whole, as columns, and of a stride of 0.
TEST_F(CopyTest, DenseRows) {
  for (uint32_t from : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16})
    for (uint32_t to : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
      Random random(from);
      TestTensor src(from, {5, 3, 192}, Layout::Dense, random);
      src.fillRandom(random);
      for (int64_t width : {192, 64, 12}) {
        TestTensor part = src.columns(192 - width, width);
        TestTensor dst(to, part.shape(), Layout::Dense, random);
        TestTensor expected(to, part.shape(), Layout::Dense, random);
        expected.assign(part.array());
        Canary canary(dst);
        canary.allow(dst);
        ASSERT_EQ(copy(part.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
        EXPECT_EQ(canary.damage(), 0);
        EXPECT_TRUE(dst.sameBits(expected));
        mla_tensor repeated = *part.get();
        repeated.strides[0] = 0;
        ASSERT_EQ(copy(&repeated, dst.get()), MLA_STATUS_OK) << ctx.error();
        EXPECT_EQ(canary.damage(), 0);
        for (int64_t i = 0; i < 5; ++i)
          EXPECT_TRUE(dst.slice(i).sameBits(expected.slice(0)));
      }
    }
}

TEST_F(CopyTest, ANanStaysANan) {
  Random random(2);
  TestTensor src(MLA_DTYPE_F32, {3}, Layout::Dense, random); // all NaNs
  for (uint32_t dtype : {MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    TestTensor dst(dtype, {3}, Layout::Dense, random);
    dst.fill(0);
    ASSERT_EQ(copy(src.get(), dst.get()), MLA_STATUS_OK) << ctx.error();
    for (int64_t i = 0; i < 3; ++i)
      EXPECT_TRUE(std::isnan(dst.at({i})));
  }
}

TEST_F(CopyTest, FollowsTheStrides) {
  // A transposed source: a copy that takes memory order is wrong.
  TestTensor src(MLA_DTYPE_I32, {2, 3}, {1, 2, 3, 4, 5, 6});
  TestTensor dst(MLA_DTYPE_I32, {3, 2}, std::vector<int64_t>(6, 0));
  mla_tensor transposed = *src.get();
  std::swap(transposed.shape[0], transposed.shape[1]);
  std::swap(transposed.strides[0], transposed.strides[1]);
  ASSERT_EQ(copy(&transposed, dst.get()), MLA_STATUS_OK) << ctx.error();
  reference::Array values({3, 2}), expected = values;
  values.data = {1, 4, 2, 5, 3, 6};
  reference::copy(values, expected);
  EXPECT_EQ(dst.array().data, expected.data);
}

TEST_F(CopyTest, ElementsOfHalfAByteAreRefused) {
  Random random(1);
  TestTensor src(MLA_DTYPE_U8, {4}, Layout::Dense, random);
  TestTensor dst(MLA_DTYPE_U8, {4}, Layout::Dense, random);
  mla_tensor from = *src.get(), to = *dst.get();
  from.dtype = to.dtype = MLA_DTYPE_F4E2M1FN;
  Canary canary(dst);
  EXPECT_NE(copy(&from, &to), MLA_STATUS_OK);
  EXPECT_NE(ctx.error(), "");
  mla_context_clear_error(ctx);
  EXPECT_EQ(canary.damage(), 0);
}

} // namespace
