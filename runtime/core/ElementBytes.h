//===- ElementBytes.h - One number as an element of any type ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_ELEMENTBYTES_H
#define MLA_RUNTIME_CORE_ELEMENTBYTES_H

#include "mla_runtime/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

/// Of mla_fill: the integer nearest to `value`, ties to even, and the least or
/// largest one beyond them. The core has refused NaN.
template <typename T> T saturateToInteger(double value) {
  double rounded = std::nearbyint(value);
  // For i64 the maximum isn't a double: the comparison is with 2^63.
  if (rounded >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  if (rounded <= static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  return static_cast<T>(rounded);
}

/// Writes the bytes of one element of `dtype`; false for a type that `value`
/// has no conversion to. `toHalf`, `toBFloat16` and `toFp8` give the codes of
/// the types that the backend converts to in its own way; they round once.
template <typename ToHalf, typename ToBFloat16, typename ToFp8>
bool encodeElement(uint32_t dtype, double value, char (&bytes)[8],
                   ToHalf toHalf, ToBFloat16 toBFloat16, ToFp8 toFp8) {
  auto put = [&](auto element) {
    static_assert(sizeof(element) <= sizeof(bytes), "");
    std::memcpy(bytes, &element, sizeof(element));
    return true;
  };
  switch (dtype) {
  case MLA_DTYPE_F32:
    return put(static_cast<float>(value));
  case MLA_DTYPE_F16:
    return put(uint16_t{toHalf(value)});
  case MLA_DTYPE_BF16:
    return put(uint16_t{toBFloat16(value)});
  case MLA_DTYPE_F8E4M3FN:
    return put(uint8_t{toFp8(value)});
  case MLA_DTYPE_F64:
    return put(value);
  case MLA_DTYPE_I8:
    return put(saturateToInteger<int8_t>(value));
  case MLA_DTYPE_U8:
    return put(saturateToInteger<uint8_t>(value));
  case MLA_DTYPE_I32:
    return put(saturateToInteger<int32_t>(value));
  case MLA_DTYPE_I64:
    return put(saturateToInteger<int64_t>(value));
  case MLA_DTYPE_BOOL:
    return put(static_cast<uint8_t>(value != 0));
  case MLA_DTYPE_F8E5M2:
  case MLA_DTYPE_F8E4M3FNUZ:
  case MLA_DTYPE_F8E5M2FNUZ:
    // 0 is the byte 0 in each.
    put(uint8_t{0});
    return value == 0;
  default:
    return false;
  }
}

#endif // MLA_RUNTIME_CORE_ELEMENTBYTES_H
