//===- TestDtype.h - The tests' own conversions of element types ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Through float64 and the definition of each format; they share nothing with
// the runtime's conversions.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_TESTDTYPE_H
#define MLA_TEST_RUNTIME_TESTDTYPE_H

#include "mla_runtime/runtime.h"
#include "reference/e4m3.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace mla {
namespace test {

inline bool isFloat(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32 || dtype == MLA_DTYPE_F16 ||
         dtype == MLA_DTYPE_BF16 || dtype == MLA_DTYPE_F64 ||
         dtype == MLA_DTYPE_F8E4M3FN;
}

/// Value of an IEEE-like format with `mantissa` explicit bits and the
/// exponent's `bias`, sign on top of `exponent` bits.
inline double decodeFloat(uint64_t bits, int exponent, int mantissa) {
  int bias = (1 << (exponent - 1)) - 1;
  uint64_t fraction = bits & ((1ull << mantissa) - 1);
  int power = static_cast<int>(bits >> mantissa) & ((1 << exponent) - 1);
  double sign = (bits >> (exponent + mantissa)) & 1 ? -1 : 1;
  if (power == (1 << exponent) - 1)
    return std::copysign(fraction ? std::numeric_limits<double>::quiet_NaN()
                                  : std::numeric_limits<double>::infinity(),
                         sign);
  double significand = static_cast<double>(fraction);
  if (power == 0)
    return sign * std::ldexp(significand, 1 - bias - mantissa);
  significand += static_cast<double>(1ull << mantissa);
  return sign * std::ldexp(significand, power - bias - mantissa);
}

/// The nearest value of such a format, ties to even, as bits.
inline uint64_t encodeFloat(double value, int exponent, int mantissa) {
  int bias = (1 << (exponent - 1)) - 1;
  uint64_t sign = std::signbit(value) ? 1ull << (exponent + mantissa) : 0;
  uint64_t infinity = ((1ull << exponent) - 1) << mantissa;
  if (std::isnan(value))
    return sign | infinity | (1ull << (mantissa - 1));
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return sign | infinity;
  int power;
  std::frexp(magnitude, &power); // magnitude < 2^power
  int lowest = 2 - bias;         // of the normal numbers' `power`
  int ulp = std::max(power, lowest) - 1 - mantissa;
  double steps = std::nearbyint(std::ldexp(magnitude, -ulp));
  // The steps are the significand with its hidden bit, which carries into the
  // exponent where rounding did.
  uint64_t bits = static_cast<uint64_t>(steps);
  if (magnitude != 0 && power >= lowest)
    bits += static_cast<uint64_t>(power - lowest) << mantissa;
  return sign | std::min(bits, infinity);
}

/// Reads one element; integers exactly up to 2^53.
inline double decode(uint32_t dtype, const void *from) {
  uint64_t bits = 0;
  std::memcpy(&bits, from, mla_dtype_bits(dtype) / 8);
  switch (dtype) {
  case MLA_DTYPE_F16:
    return decodeFloat(bits, 5, 10);
  case MLA_DTYPE_BF16:
    return decodeFloat(bits, 8, 7);
  case MLA_DTYPE_F8E4M3FN:
    return reference::e4m3Value(static_cast<uint8_t>(bits));
  case MLA_DTYPE_F32: {
    float value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  case MLA_DTYPE_F64: {
    double value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  case MLA_DTYPE_I8:
    return static_cast<int8_t>(bits);
  case MLA_DTYPE_I32:
    return static_cast<int32_t>(bits);
  case MLA_DTYPE_I64:
    return static_cast<double>(static_cast<int64_t>(bits));
  default:
    return static_cast<double>(bits);
  }
}

/// Writes one element.
inline void encode(uint32_t dtype, double value, void *to) {
  uint64_t bits = 0;
  if (dtype == MLA_DTYPE_F16) {
    bits = encodeFloat(value, 5, 10);
  } else if (dtype == MLA_DTYPE_BF16) {
    bits = encodeFloat(value, 8, 7);
  } else if (dtype == MLA_DTYPE_F8E4M3FN) {
    bits = reference::e4m3Code(value);
  } else if (dtype == MLA_DTYPE_F32) {
    float narrow = static_cast<float>(value);
    std::memcpy(&bits, &narrow, sizeof(narrow));
  } else if (dtype == MLA_DTYPE_F64) {
    std::memcpy(&bits, &value, sizeof(value));
  } else {
    bits = static_cast<uint64_t>(static_cast<int64_t>(value));
  }
  std::memcpy(to, &bits, mla_dtype_bits(dtype) / 8);
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_TESTDTYPE_H
