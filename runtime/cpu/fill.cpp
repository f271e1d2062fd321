//===- fill.cpp - One value in every element, on the CPU ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Convert.h"
#include "Kernels.h"
#include "Rows.h"

#include <cmath>
#include <limits>

using namespace mla;
using namespace mla::cpu;

namespace {

/// The f32 that narrows to the same f16, bf16 or fp8 as `value` itself would:
/// rounded toward 0, its last bit set where anything was lost ("round to odd").
/// Plain rounding to f32 would round twice.
float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (std::isnan(value) || nearest == value)
    return nearest;
  uint32_t bits = bitsOf(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value))
    --bits;
  return floatOf(bits | 1u);
}

template <typename T> T saturate(double value) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  // For i64 the maximum isn't a double: the comparison is with 2^63.
  if (rounded >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  if (rounded <= static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  return static_cast<T>(rounded);
}

template <typename T> void put(char *bytes, T value) {
  std::memcpy(bytes, &value, sizeof(value));
}

/// Writes one element of `dtype`; false for a type that has no conversion here.
bool encode(uint32_t dtype, double value, char *bytes) {
  switch (dtype) {
  case MLA_DTYPE_F32:
    put(bytes, static_cast<float>(value));
    return true;
  case MLA_DTYPE_F16:
    put(bytes, narrow<Half>(roundToOdd(value)));
    return true;
  case MLA_DTYPE_BF16:
    put(bytes, narrow<BFloat16>(roundToOdd(value)));
    return true;
  case MLA_DTYPE_F8E4M3FN:
    put(bytes, narrow<Fp8>(roundToOdd(value)));
    return true;
  case MLA_DTYPE_F64:
    put(bytes, value);
    return true;
  case MLA_DTYPE_I8:
    put(bytes, saturate<int8_t>(value));
    return true;
  case MLA_DTYPE_U8:
    put(bytes, saturate<uint8_t>(value));
    return true;
  case MLA_DTYPE_I32:
    put(bytes, saturate<int32_t>(value));
    return true;
  case MLA_DTYPE_I64:
    put(bytes, saturate<int64_t>(value));
    return true;
  case MLA_DTYPE_BOOL:
    put(bytes, static_cast<uint8_t>(value != 0));
    return true;
  case MLA_DTYPE_F8E5M2:
  case MLA_DTYPE_F8E4M3FNUZ:
  case MLA_DTYPE_F8E5M2FNUZ:
    // 0 is the byte 0 in each.
    put(bytes, static_cast<uint8_t>(0));
    return value == 0;
  default:
    return false;
  }
}

} // namespace

mla_status mla::cpu::supports_fill(mla_context &ctx,
                                   const mla_fill_params &params) {
  View dst(params.dst);
  char element[8];
  if (encode(dst.dtype, params.value, element))
    return MLA_STATUS_OK;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
              "mla_fill: dst: expected a type that the CPU backend converts %g "
              "to, got %s",
              params.value, mla_dtype_name(dst.dtype));
}

mla_status mla::cpu::fill(mla_context &, const mla_fill_params &params) {
  View dst(params.dst);
  char element[8] = {};
  encode(dst.dtype, params.value, element);
  int64_t count = dst.rank > 0 ? dst.width() : 1;
  forEachRow(dst, dst, [&](char *row, char *) {
    copyElements(element, 0, row, dst.step(), count, dst.elementSize);
  });
  return MLA_STATUS_OK;
}
