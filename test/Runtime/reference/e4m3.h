//===- e4m3.h - The fp8 format e4m3fn -------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// From the table of the OCP 8-bit floating point specification (revision 1.0,
// section 5): a code's value by its definition, a value's code by searching all
// of them.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_E4M3_H
#define MLA_TEST_RUNTIME_REFERENCE_E4M3_H

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mla {
namespace reference {

/// The codes are sign, 4 bits of exponent (bias 7) and 3 of mantissa. There is
/// no infinity; all ones behind the sign are a NaN.
inline double e4m3Value(uint8_t code) {
  int exponent = code >> 3 & 15, mantissa = code & 7;
  double value = exponent == 0 ? std::ldexp(mantissa, -6 - 3)
                               : std::ldexp(8 + mantissa, exponent - 7 - 3);
  if ((code & 0x7f) == 0x7f)
    value = std::numeric_limits<double>::quiet_NaN();
  return std::copysign(value, code & 0x80 ? -1.0 : 1.0);
}

/// The code of the number nearest to `value`; of two that are as near, the even
/// one. Beyond the largest number, 448, that number.
inline uint8_t e4m3Code(double value) {
  static const std::array<double, 0x7f> numbers = [] {
    std::array<double, 0x7f> result;
    for (size_t code = 0; code < result.size(); ++code)
      result[code] = e4m3Value(static_cast<uint8_t>(code));
    return result;
  }();
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value))
    return sign | 0x7f;
  double magnitude = std::min(std::fabs(value), numbers.back());
  auto above = std::lower_bound(numbers.begin(), numbers.end(), magnitude);
  auto code = static_cast<uint8_t>(above - numbers.begin());
  if (code == 0)
    return sign;
  double up = *above - magnitude, down = magnitude - *(above - 1);
  bool takesUp = up < down || (up == down && code % 2 == 0);
  return sign | static_cast<uint8_t>(takesUp ? code : code - 1);
}

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_E4M3_H
