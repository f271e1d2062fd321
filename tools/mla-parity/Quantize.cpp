//===- Quantize.cpp - fp8 and the spacing of numbers ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantize.h"

#include "mla_runtime/tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mla::parity {

constexpr int kBias = 7, kFractionBits = 3, kLeastExponent = 1 - kBias;

double decodeE4M3(uint8_t code) {
  int exponent = code >> kFractionBits & 15, fraction = code & 7;
  double value = (exponent ? 8 + fraction : fraction);
  value = std::ldexp(value, std::max(exponent, 1) - kBias - kFractionBits);
  if ((code & 0x7f) == 0x7f)
    value = std::numeric_limits<double>::quiet_NaN();
  return code & 0x80 ? -value : value;
}

uint8_t encodeE4M3(double value) {
  auto sign = static_cast<uint8_t>(std::signbit(value) ? 0x80 : 0);
  double size = std::fabs(value);
  if (std::isnan(size))
    return sign | 0x7f;
  if (size >= kLargestE4M3)
    return sign | 0x7e;
  int exponent =
      size > 0 ? std::max(std::ilogb(size), kLeastExponent) : kLeastExponent;
  // In units of the last place, of which 8 and more have the implicit one. A
  // carry into the next exponent is the right code by itself.
  double units = std::nearbyint(std::ldexp(size, kFractionBits - exponent));
  int code = static_cast<int>(units) + (exponent - kLeastExponent) * 8;
  return sign | static_cast<uint8_t>(std::min(code, 0x7e));
}

uint8_t quantize(double value, float scale) {
  float inverse = 1.0f / scale;
  return encodeE4M3(static_cast<float>(value) * inverse);
}

float getBlockScale(double largest) {
  if (largest == 0)
    return 1;
  int exponent = std::ilogb(largest / kLargestE4M3);
  while (std::ldexp(kLargestE4M3, exponent) < largest)
    ++exponent;
  return static_cast<float>(std::ldexp(1.0, std::max(exponent, -126)));
}

double getSpacing(uint32_t dtype, double value) {
  struct Format {
    int fractionBits, leastExponent;
  };
  Format format = dtype == MLA_DTYPE_F32    ? Format{23, -126}
                  : dtype == MLA_DTYPE_BF16 ? Format{7, -126}
                  : dtype == MLA_DTYPE_F16  ? Format{10, -14}
                                            : Format{3, -6};
  int exponent = value == 0 ? format.leastExponent
                            : std::max(std::ilogb(value), format.leastExponent);
  return std::ldexp(1.0, exponent - format.fractionBits);
}

} // namespace mla::parity
