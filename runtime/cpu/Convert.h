//===- Convert.h - f16, bf16 and fp8 to and from f32 ----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Widening is exact. Narrowing rounds to the nearest, ties to even; overflow
// gives infinity, a NaN stays a NaN (quieted, its leading payload bits kept).
// e4m3fn (OCP 8-bit floating point specification, revision 1.0) has no infinity
// and one NaN of each sign: what is beyond its largest number, 448, infinities
// included, becomes that number.
// Everything is written without branches that depend on data, so that the row
// loops in Rows.cpp vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_CONVERT_H
#define MLA_RUNTIME_CPU_CONVERT_H

#include <cstdint>
#include <cstring>

namespace mla {
namespace cpu {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Storage of an IEEE binary16.
struct Half {
  uint16_t bits;
};
/// Storage of a bfloat16.
struct BFloat16 {
  uint16_t bits;
};
/// Storage of an fp8 e4m3fn: 4 bits of exponent with bias 7, 3 of mantissa.
struct Fp8 {
  uint8_t bits;
};

inline float widen(float value) { return value; }

inline float widen(BFloat16 value) {
  return floatOf(static_cast<uint32_t>(value.bits) << 16);
}

inline float widen(Half value) {
  uint32_t sign = (value.bits & 0x8000u) << 16;
  uint32_t magnitude = (value.bits & 0x7fffu) << 13;
  // The exponent's bias differs by 112; the product is exact, for subnormals
  // too. Infinities and NaNs take f32's largest exponent instead.
  uint32_t finite = bitsOf(floatOf(magnitude) * 0x1p112f);
  uint32_t special = magnitude | 0x7f800000u;
  return floatOf(sign | (magnitude >= 0x0f800000u ? special : finite));
}

inline float widen(Fp8 value) {
  uint32_t sign = (value.bits & 0x80u) << 24;
  uint32_t magnitude = (value.bits & 0x7fu) << 20;
  // The exponent's bias differs by 120; the product is exact.
  uint32_t number = bitsOf(floatOf(magnitude) * 0x1p120f);
  return floatOf(sign | (magnitude == 0x07f00000u ? 0x7fc00000u : number));
}

template <typename T> T narrow(float value);

template <> inline float narrow<float>(float value) { return value; }

template <> inline BFloat16 narrow<BFloat16>(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  uint32_t nan = (bits >> 16) | 0x40u;
  bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
  return {static_cast<uint16_t>(isNan ? nan : rounded)};
}

template <> inline Half narrow<Half>(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t normal =
      (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // Below 2^-14 a half's ulp is 2^-24, which is that of f32 in [0.5, 1): the
  // addition rounds. Clamping keeps the unused lanes from overflowing.
  uint32_t small = magnitude < 0x38800000u ? magnitude : 0u;
  uint32_t subnormal = bitsOf(floatOf(small) + 0.5f) - 0x3f000000u;
  uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
  result = magnitude >= 0x477ff000u ? 0x7c00u : result;
  result = magnitude > 0x7f800000u ? nan : result;
  return {static_cast<uint16_t>(sign | result)};
}

template <> inline Fp8 narrow<Fp8>(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t sign = (bits >> 24) & 0x80u;
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t normal =
      (magnitude - 0x3c000000u + 0x7ffffu + ((magnitude >> 20) & 1u)) >> 20;
  // Below 2^-6 the ulp is 2^-9, which is that of f32 in [2^14, 2^15): the
  // addition rounds. Clamping keeps the unused lanes from overflowing.
  uint32_t small = magnitude < 0x3c800000u ? magnitude : 0u;
  uint32_t subnormal = bitsOf(floatOf(small) + 0x1p14f) - 0x46800000u;
  uint32_t result = magnitude < 0x3c800000u ? subnormal : normal;
  // From 464 on the nearest would be 480, which is the NaN's code.
  result = magnitude >= 0x43e80000u ? 0x7eu : result;
  result = magnitude > 0x7f800000u ? 0x7fu : result;
  return {static_cast<uint8_t>(sign | result)};
}

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_CONVERT_H
