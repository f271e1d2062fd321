//===- backend_test.cpp - Conversions, memory and modes of a backend ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"

using namespace mla;
using namespace mla::test;

namespace {

class BackendTest : public OpTest {
protected:
  /// Sends values through a rope without a rotation, which converts f32 output
  /// from any type, and through an append, which converts in both directions.
  void convert(const TestTensor &from, const TestTensor &to) {
    auto params = makeParams<mla_append_params>();
    params.q_nope = from.get();
    params.query = to.get();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }
};

TEST_F(BackendTest, WidensEveryValueExactly) {
  for (uint32_t dtype : {MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    Random random(1);
    TestTensor from(dtype, {1, 1, 0x10000}, Layout::Dense, random);
    TestTensor to(MLA_DTYPE_F32, {1, 1, 0x10000}, Layout::Dense, random);
    for (int64_t i = 0; i < 0x10000; ++i) {
      auto bits = static_cast<uint16_t>(i);
      std::memcpy(from.address({0, 0, i}), &bits, 2);
    }
    convert(from, to);
    for (int64_t i = 0; i < 0x10000; ++i) {
      double expected = from.at({0, 0, i}), actual = to.at({0, 0, i});
      ASSERT_TRUE(actual == expected ||
                  (std::isnan(actual) && std::isnan(expected)))
          << i;
      if (!std::isnan(expected)) {
        ASSERT_EQ(std::signbit(actual), (i & 0x8000) != 0) << i;
      }
    }
  }
}

TEST_F(BackendTest, NarrowsToTheNearestEven) {
  const int64_t count = 200000;
  for (uint32_t dtype : {MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    Random random(2);
    TestTensor from(MLA_DTYPE_F32, {1, 1, count}, Layout::Dense, random);
    TestTensor to(dtype, {1, 1, count}, Layout::Dense, random);
    for (int64_t i = 0; i < count; ++i) {
      // Any bits, and in turn values at and beside the ties of the type.
      auto bits = static_cast<uint32_t>(random.integer(0, UINT32_MAX));
      if (i % 2) {
        uint32_t dropped = dtype == MLA_DTYPE_F16 ? 13 : 16;
        bits = (bits >> dropped << dropped) | (1u << (dropped - 1));
        bits += static_cast<uint32_t>(random.integer(-1, 1));
      }
      if (i % 3 == 0 && dtype == MLA_DTYPE_F16) // where halves are
        bits = (bits & 0x8FFFFFFFu) | 0x30000000u;
      std::memcpy(from.address({0, 0, i}), &bits, 4);
    }
    convert(from, to);
    for (int64_t i = 0; i < count; ++i) {
      double value = from.at({0, 0, i}), actual = to.at({0, 0, i});
      uint8_t expected[8];
      encode(dtype, value, expected);
      if (std::isnan(value))
        ASSERT_TRUE(std::isnan(actual)) << i;
      else
        ASSERT_EQ(actual, decode(dtype, expected)) << value;
    }
  }
}

TEST_F(BackendTest, CheckingWritesNothing) {
  Random random(3);
  TestTensor dst(MLA_DTYPE_F32, {4}, Layout::Dense, random);
  Canary canary(dst);
  auto params = makeParams<mla_fill_params>();
  params.dst = dst.get();
  for (int32_t mode : {MLA_MODE_CHECK, MLA_MODE_PLAN}) {
    ASSERT_EQ(mla_context_set_mode(ctx, mode), MLA_STATUS_OK);
    EXPECT_EQ(mla_fill(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(canary.damage(), 0);
  }
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_RUN), MLA_STATUS_OK);
  EXPECT_EQ(mla_fill(ctx, &params), MLA_STATUS_OK) << ctx.error();
  EXPECT_EQ(canary.damage(), 16);
}

TEST_F(BackendTest, MemoryIsAlignedAndCopied) {
  auto *data = static_cast<char *>(mla_device_alloc(ctx, 100));
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 256, 0u);
  const char sent[] = "there and back";
  char received[sizeof(sent)] = {};
  EXPECT_EQ(mla_upload(ctx, data, sent, sizeof(sent)), MLA_STATUS_OK);
  EXPECT_EQ(mla_download(ctx, received, data, sizeof(sent)), MLA_STATUS_OK);
  EXPECT_STREQ(received, sent);
  mla_device_free(ctx, data);
}

} // namespace
