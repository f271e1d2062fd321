//===- DtypeTest.cpp - Conversions against the formats --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Dtype.h"

#include "mla_runtime/runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace mla::io {
namespace {

/// The value of a finite binary format's bits, from its definition.
double decode(uint32_t bits, int exponentBits, int mantissaBits) {
  int bias = (1 << (exponentBits - 1)) - 1;
  int exponent =
      static_cast<int>(bits >> mantissaBits & ((1u << exponentBits) - 1));
  double mantissa = bits & ((1u << mantissaBits) - 1);
  double sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
  return sign * std::ldexp(mantissa + (1 << mantissaBits),
                           exponent - bias - mantissaBits);
}

struct Format {
  int exponentBits, mantissaBits;
  uint16_t (*narrow)(float);
  float (*widen)(uint16_t);
  uint32_t infinity() const {
    return ((1u << exponentBits) - 1) << mantissaBits;
  }
};

class Narrow : public testing::TestWithParam<Format> {};

TEST_P(Narrow, EveryFiniteValueSurvives) {
  Format format = GetParam();
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7fff) >= format.infinity())
      continue;
    auto half = static_cast<uint16_t>(bits);
    float value = format.widen(half);
    ASSERT_EQ(value, decode(bits, format.exponentBits, format.mantissaBits))
        << bits;
    ASSERT_EQ(format.narrow(value), half) << bits;
  }
}

TEST_P(Narrow, RoundsToNearestTiesToEven) {
  Format format = GetParam();
  for (uint32_t bits = 0; bits + 1 < format.infinity(); ++bits) {
    float low = format.widen(static_cast<uint16_t>(bits));
    float high = format.widen(static_cast<uint16_t>(bits + 1));
    float middle = static_cast<float>((static_cast<double>(low) + high) / 2);
    if (middle <= low || middle >= high) // bf16 next to f32's smallest numbers
      continue;
    ASSERT_EQ(format.narrow(middle), bits + (bits & 1)) << bits;
    ASSERT_EQ(format.narrow(std::nextafterf(middle, high)), bits + 1) << bits;
    ASSERT_EQ(format.narrow(std::nextafterf(middle, low)), bits) << bits;
  }
}

TEST_P(Narrow, KeepsWhatIsNotFinite) {
  Format format = GetParam();
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(format.narrow(infinity), format.infinity());
  EXPECT_EQ(format.narrow(-infinity), format.infinity() | 0x8000);
  EXPECT_EQ(format.widen(static_cast<uint16_t>(format.infinity())), infinity);
  EXPECT_EQ(format.narrow(std::numeric_limits<float>::max()),
            format.infinity());
  float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(format.widen(format.narrow(nan))));
  // A NaN whose payload sits in the bits that are dropped.
  uint32_t low = 0x7f800001;
  std::memcpy(&nan, &low, 4);
  EXPECT_TRUE(std::isnan(format.widen(format.narrow(nan))));
}

INSTANTIATE_TEST_SUITE_P(Formats, Narrow,
                         testing::Values(Format{8, 7, floatToBF16, bf16ToFloat},
                                         Format{5, 10, floatToF16, f16ToFloat}),
                         [](const testing::TestParamInfo<Format> &info) {
                           return info.param.exponentBits == 8 ? "bf16" : "f16";
                         });

/// e4m3fn from its definition; its NaN apart, every code is finite.
double decodeE4M3(uint32_t bits) { return decode(bits, 4, 3); }

TEST(E4M3, EveryValueSurvives) {
  for (uint32_t bits = 0; bits < 0x100; ++bits) {
    auto code = static_cast<uint8_t>(bits);
    float value = e4m3ToFloat(code);
    if ((bits & 0x7f) == 0x7f)
      ASSERT_TRUE(std::isnan(value)) << bits;
    else
      ASSERT_EQ(value, decodeE4M3(bits)) << bits;
    ASSERT_EQ(floatToE4M3(value), code) << bits;
  }
}

TEST(E4M3, RoundsToNearestTiesToEvenAndSaturates) {
  for (uint32_t bits = 0; bits < 0x7e; ++bits) {
    auto low = static_cast<float>(decodeE4M3(bits));
    auto high = static_cast<float>(decodeE4M3(bits + 1));
    float middle = (low + high) / 2;
    ASSERT_EQ(floatToE4M3(middle), bits + (bits & 1)) << bits;
    ASSERT_EQ(floatToE4M3(std::nextafterf(middle, high)), bits + 1) << bits;
    ASSERT_EQ(floatToE4M3(std::nextafterf(middle, low)), bits) << bits;
  }
  float infinity = std::numeric_limits<float>::infinity();
  for (float large : {449.0f, 464.0f, 480.0f, 1e30f, infinity}) {
    EXPECT_EQ(floatToE4M3(large), 0x7e);
    EXPECT_EQ(floatToE4M3(-large), 0xfe);
  }
}

TEST(Dtype, AgreesWithTheRuntime) {
  int known = 0;
  for (uint32_t dtype = 0; dtype < 64; ++dtype) {
    if (uint64_t bytes = dtypeBytes(dtype)) {
      EXPECT_EQ(bytes * 8, mla_dtype_bits(dtype)) << dtype;
      ++known;
    }
    if (const char *name = safetensorsName(dtype)) {
      EXPECT_EQ(dtypeFromSafetensors(name), dtype);
      EXPECT_NE(safetensorsNames().find(name), std::string::npos);
    }
  }
  EXPECT_EQ(known, 14); // all but f4, two of which fill a byte
  EXPECT_EQ(dtypeFromSafetensors("f32"), uint32_t(MLA_DTYPE_NONE));
}

TEST(Dtype, ConvertsElements) {
  float source[] = {1.0f, -0.5f, 65504.0f};
  Result<Buffer> half =
      convertElements(source, MLA_DTYPE_F32, MLA_DTYPE_F16, 3);
  ASSERT_TRUE(half) << half.error();
  uint16_t bits[3];
  ASSERT_EQ(half->size(), sizeof(bits));
  std::memcpy(bits, half->data(), sizeof(bits));
  EXPECT_EQ(bits[0], 0x3c00);
  EXPECT_EQ(bits[1], 0xb800);
  EXPECT_EQ(bits[2], 0x7bff);

  Result<Buffer> quarter =
      convertElements(source, MLA_DTYPE_F32, MLA_DTYPE_F8E4M3FN, 3);
  ASSERT_TRUE(quarter) << quarter.error();
  std::vector<double> values;
  ASSERT_TRUE(toDoubles(quarter->data(), MLA_DTYPE_F8E4M3FN, 3, values));
  EXPECT_EQ(values, (std::vector<double>{1, -0.5, 448}));

  int64_t wide[] = {-1, 7, int64_t(1) << 40};
  Result<Buffer> narrow =
      convertElements(wide, MLA_DTYPE_I64, MLA_DTYPE_I32, 2);
  ASSERT_TRUE(narrow) << narrow.error();
  int32_t expected[] = {-1, 7};
  EXPECT_EQ(std::memcmp(narrow->data(), expected, sizeof(expected)), 0);
  EXPECT_EQ(convertElements(wide, MLA_DTYPE_I64, MLA_DTYPE_I32, 3).error(),
            "expected elements that fit i32, got 1099511627776 at index 2");
  EXPECT_EQ(convertElements(wide, MLA_DTYPE_I64, MLA_DTYPE_F32, 1).error(),
            "expected elements of type F32, got I64");
}

} // namespace
} // namespace mla::io
