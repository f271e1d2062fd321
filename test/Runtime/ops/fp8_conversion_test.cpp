//===- fp8_conversion_test.cpp - f32 to and from e4m3 ---------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Through mla_append and mla_gather_kv with a scale of 1, which changes
// nothing.
//
//===----------------------------------------------------------------------===//

#include "CachePool.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;
using reference::e4m3Code;
using reference::e4m3Value;

namespace {

const int64_t width = 512;

class Fp8ConversionTest : public OpTest {
protected:
  Fp8ConversionTest() : random(1), scale(makeScalar(1)) {}

  /// The codes that `values` of `dtype` become, each checked against the
  /// search.
  void expectNearest(const std::vector<double> &values, uint32_t dtype) {
    auto tokens = static_cast<int64_t>(values.size() + width - 1) / width;
    TestTensor cKv(dtype, {tokens, width}, Layout::Dense, random);
    TestTensor latent(MLA_DTYPE_F8E4M3FN, {tokens, 1, width}, Layout::Dense,
                      random);
    TestTensor slots(MLA_DTYPE_I64, {tokens}, Layout::Dense, random);
    for (int64_t t = 0; t < tokens; ++t)
      slots.set({t}, static_cast<double>(t));
    size_t next = 0;
    cKv.forEach([&](const Shape &index) {
      cKv.set(index, next < values.size() ? values[next++] : 0);
    });
    auto params = makeParams<mla_append_params>();
    params.c_kv = cKv.get();
    params.slots = slots.get();
    params.cache_latent = latent.get();
    params.latent_scale = scale.get();
    ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << ctx.error();
    int64_t wrong = 0;
    cKv.forEach([&](const Shape &index) {
      double value = cKv.at(index);
      uint8_t code = *latent.address({index[0], 0, index[1]});
      // A NaN stays a NaN; of which sign is open.
      bool same = std::isnan(value) ? std::isnan(e4m3Value(code))
                                    : code == e4m3Code(value);
      if (!same && ++wrong < 5)
        ADD_FAILURE() << value << " became " << int(code) << ", expected "
                      << int(e4m3Code(value));
    });
    EXPECT_EQ(wrong, 0);
  }

  Random random;
  TestTensor scale;
};

TEST_F(Fp8ConversionTest, ReadsEveryCode) {
  TestTensor latent(MLA_DTYPE_F8E4M3FN, {1, 256, 1}, Layout::Dense, random);
  for (int64_t code = 0; code < 256; ++code)
    *latent.address({0, code, 0}) = static_cast<uint8_t>(code);
  TestTensor table(MLA_DTYPE_I32, {1, 1}, {0});
  TestTensor lengths(MLA_DTYPE_I32, {1}, {256});
  TestTensor cKv(MLA_DTYPE_F32, {256, 1}, Layout::Dense, random);
  auto params = makeParams<mla_gather_kv_params>();
  params.cache_latent = latent.get();
  params.latent_scale = scale.get();
  params.page_table = table.get();
  params.kv_lens = lengths.get();
  params.c_kv = cKv.get();
  params.window_length = 256;
  ASSERT_EQ(mla_gather_kv(ctx, &params), MLA_STATUS_OK) << ctx.error();
  for (int64_t code = 0; code < 256; ++code) {
    double expected = e4m3Value(static_cast<uint8_t>(code));
    double actual = cKv.at({code, 0});
    EXPECT_TRUE(std::isnan(expected) ? std::isnan(actual) : actual == expected)
        << code << " became " << actual << ", expected " << expected;
    if (!std::isnan(expected)) {
      EXPECT_EQ(std::signbit(actual), std::signbit(expected)) << code;
    }
  }
}

TEST_F(Fp8ConversionTest, RoundsEvery16BitValue) {
  // Every sign, exponent and NaN, the numbers halfway between two codes, and
  // (f16) all that have a code.
  for (uint32_t dtype : {MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    std::vector<double> values;
    for (uint64_t bits = 0; bits < 0x10000; ++bits)
      values.push_back(decode(dtype, &bits));
    expectNearest(values, dtype);
  }
}

TEST_F(Fp8ConversionTest, RoundsWhatLiesBesideEachTie) {
  std::vector<double> values;
  auto addAround = [&](double value) {
    auto middle = static_cast<float>(value);
    const float inf = std::numeric_limits<float>::infinity();
    for (float sign : {1.0f, -1.0f})
      for (float near :
           {std::nextafter(middle, -inf), middle, std::nextafter(middle, inf)})
        values.push_back(sign * near);
  };
  for (uint8_t code = 0; code < 0x7e; ++code) {
    addAround(e4m3Value(code));
    addAround((e4m3Value(code) + e4m3Value(code + 1)) / 2);
  }
  // 464 would be the tie with the next number, were there one.
  for (double beyond : {448.0, 464.0, 480.0, 512.0, 1e5, 0x1.fffffep127})
    addAround(beyond);
  for (int i = 0; i < 100000; ++i) {
    uint64_t bits = static_cast<uint64_t>(random.integer(0, 0xffffffff));
    values.push_back(decode(MLA_DTYPE_F32, &bits));
  }
  expectNearest(values, MLA_DTYPE_F32);
}

TEST(E4m3ReferenceTest, FollowsTheFormat) {
  EXPECT_EQ(e4m3Value(0x7e), 448);
  EXPECT_EQ(e4m3Value(0x08), 0x1p-6);
  EXPECT_EQ(e4m3Value(0x01), 0x1p-9);
  EXPECT_EQ(e4m3Value(0xc0), -2);
  EXPECT_TRUE(std::isnan(e4m3Value(0xff)) && std::signbit(e4m3Value(0xff)));
  for (int code = 0; code < 256; ++code)
    EXPECT_EQ(e4m3Code(e4m3Value(static_cast<uint8_t>(code))), code);
  EXPECT_EQ(e4m3Code(std::numeric_limits<double>::infinity()), 0x7e);
  EXPECT_EQ(e4m3Code(-1e9), 0xfe);
  EXPECT_EQ(e4m3Code(0x1p-10), 0x00); // tie with 0, which is even
  EXPECT_EQ(e4m3Code(0x1.8p-9), 0x02);
  EXPECT_EQ(e4m3Code(17), 0x58); // 16 or 18: 16 is even
  EXPECT_EQ(e4m3Code(19), 0x5a); // 18 or 20
}

} // namespace
