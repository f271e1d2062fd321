//===- fill_test.cpp - mla_fill -------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/fill.h"

using namespace mla;
using namespace mla::test;

namespace {

class FillTest : public OpTest {
protected:
  mla_status fill(const TestTensor &dst, double value) {
    auto params = makeParams<mla_fill_params>();
    params.dst = dst.get();
    params.value = value;
    return mla_fill(ctx, &params);
  }

  double filled(uint32_t dtype, double value) {
    Random random(1);
    TestTensor dst(dtype, {2}, Layout::Dense, random);
    EXPECT_EQ(fill(dst, value), MLA_STATUS_OK) << ctx.error();
    return dst.at({1});
  }
};

TEST_F(FillTest, EveryElementAndNothingElse) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    Shape shape;
    for (int64_t i = random.integer(0, 4); i > 0; --i)
      shape.push_back(random.integer(0, 7));
    uint32_t dtype =
        random.pick<uint32_t>({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16,
                               MLA_DTYPE_F64, MLA_DTYPE_F8E4M3FN, MLA_DTYPE_I8,
                               MLA_DTYPE_I32, MLA_DTYPE_I64, MLA_DTYPE_U8});
    TestTensor dst(dtype, shape, Layout::Gapped, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + dst.describe());
    Canary canary(dst);
    canary.allow(dst);
    double value = random.chance(0.3) ? 0 : 3;
    ASSERT_EQ(fill(dst, value), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage(), 0);
    reference::Array expected = dst.array();
    reference::fill(value, expected);
    EXPECT_EQ(dst.array().data, expected.data);
  }
}

TEST_F(FillTest, RoundsOnce) {
  // A tie of bf16 broken by what f32 can't hold: rounding twice gives 1.
  double value = 1 + 0x1p-8 + 0x1p-40;
  EXPECT_EQ(filled(MLA_DTYPE_BF16, value), 1 + 0x1p-7);
  EXPECT_EQ(filled(MLA_DTYPE_BF16, 1 + 0x1p-8), 1);
  EXPECT_EQ(filled(MLA_DTYPE_F16, 1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-10);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(filled(MLA_DTYPE_F16, 1e300), inf);
  EXPECT_EQ(filled(MLA_DTYPE_BF16, -inf), -inf);
  EXPECT_TRUE(std::isnan(filled(MLA_DTYPE_F16, std::nan(""))));
  Random random(5);
  for (int i = 0; i < 5000; ++i) {
    double x = std::ldexp(random.real(-1, 1),
                          static_cast<int>(random.integer(-30, 20)));
    ASSERT_EQ(filled(MLA_DTYPE_F16, x),
              decodeFloat(encodeFloat(x, 5, 10), 5, 10));
    ASSERT_EQ(filled(MLA_DTYPE_BF16, x),
              decodeFloat(encodeFloat(x, 8, 7), 8, 7));
  }
}

TEST_F(FillTest, IntegersSaturate) {
  for (double value : {-1e30, -129.0, -128.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5,
                       126.5, 127.5, 1e30}) {
    EXPECT_EQ(filled(MLA_DTYPE_I8, value),
              reference::toInteger(value, -128, 127))
        << value;
    EXPECT_EQ(filled(MLA_DTYPE_U8, value), reference::toInteger(value, 0, 255))
        << value;
    EXPECT_EQ(filled(MLA_DTYPE_I32, value),
              reference::toInteger(value, INT32_MIN, INT32_MAX))
        << value;
  }
  EXPECT_EQ(filled(MLA_DTYPE_I64, 1e30), static_cast<double>(INT64_MAX));
  EXPECT_EQ(filled(MLA_DTYPE_I64, -1e30), static_cast<double>(INT64_MIN));
}

TEST_F(FillTest, WhatIsNotZeroIsTrue) {
  for (double value : {-1.0, -0x1p-1074, 0x1p-1074, 0.25, 256.0})
    EXPECT_EQ(filled(MLA_DTYPE_BOOL, value), 1) << value;
  for (double value : {0.0, -0.0})
    EXPECT_EQ(filled(MLA_DTYPE_BOOL, value), 0) << value;
}

TEST_F(FillTest, Fp8Saturates) {
  // A tie between 1 and 1.125 broken by what f32 can't hold.
  EXPECT_EQ(filled(MLA_DTYPE_F8E4M3FN, 1 + 0x1p-4 + 0x1p-40), 1.125);
  EXPECT_EQ(filled(MLA_DTYPE_F8E4M3FN, 1 + 0x1p-4), 1);
  EXPECT_EQ(filled(MLA_DTYPE_F8E4M3FN, -1e300), -448);
  EXPECT_TRUE(std::isnan(filled(MLA_DTYPE_F8E4M3FN, std::nan(""))));
}

TEST_F(FillTest, AnOtherFp8TakesZeroOnly) {
  EXPECT_EQ(filled(MLA_DTYPE_F8E5M2, 0), 0);
  Random random(2);
  TestTensor dst(MLA_DTYPE_F8E5M2, {4}, Layout::Dense, random);
  Canary canary(dst);
  expectUnimplemented(fill(dst, 1), "dst");
  EXPECT_EQ(canary.damage(), 0);
}

} // namespace
