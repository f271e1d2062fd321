//===- Dtype.cpp - Element types of files and their conversion ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Dtype.h"

#include "mla_runtime/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace mla::io {
namespace {

struct DtypeInfo {
  uint32_t code;
  uint64_t bytes;
  const char *name;
};

constexpr DtypeInfo kDtypes[] = {
    {MLA_DTYPE_F64, 8, "F64"},
    {MLA_DTYPE_F32, 4, "F32"},
    {MLA_DTYPE_F16, 2, "F16"},
    {MLA_DTYPE_BF16, 2, "BF16"},
    {MLA_DTYPE_F8E4M3FN, 1, "F8_E4M3"},
    {MLA_DTYPE_F8E5M2, 1, "F8_E5M2"},
    {MLA_DTYPE_F8E8M0FNU, 1, "F8_E8M0"},
    {MLA_DTYPE_I64, 8, "I64"},
    {MLA_DTYPE_I32, 4, "I32"},
    {MLA_DTYPE_I8, 1, "I8"},
    {MLA_DTYPE_U8, 1, "U8"},
    {MLA_DTYPE_BOOL, 1, "BOOL"},
    {MLA_DTYPE_F8E4M3FNUZ, 1, nullptr},
    {MLA_DTYPE_F8E5M2FNUZ, 1, nullptr},
};

template <typename To, typename From> To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <typename T> T load(const void *data, uint64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + index * sizeof(T),
              sizeof(T));
  return value;
}

template <typename T> void store(Buffer &buffer, uint64_t index, T value) {
  std::memcpy(buffer.data() + index * sizeof(T), &value, sizeof(T));
}

bool isFloat(uint32_t dtype) {
  return dtype == MLA_DTYPE_F64 || dtype == MLA_DTYPE_F32 ||
         dtype == MLA_DTYPE_F16 || dtype == MLA_DTYPE_BF16 ||
         dtype == MLA_DTYPE_F8E4M3FN;
}

std::string nameOf(uint32_t dtype) {
  const char *name = safetensorsName(dtype);
  return name ? name : "type " + std::to_string(dtype);
}

} // namespace

const char *safetensorsName(uint32_t dtype) {
  for (const DtypeInfo &info : kDtypes)
    if (info.code == dtype)
      return info.name;
  return nullptr;
}

uint32_t dtypeFromSafetensors(const std::string &name) {
  for (const DtypeInfo &info : kDtypes)
    if (info.name && name == info.name)
      return info.code;
  return MLA_DTYPE_NONE;
}

std::string safetensorsNames() {
  std::string names;
  for (const DtypeInfo &info : kDtypes)
    if (info.name)
      names += (names.empty() ? "" : ", ") + std::string(info.name);
  return names;
}

uint64_t dtypeBytes(uint32_t dtype) {
  for (const DtypeInfo &info : kDtypes)
    if (info.code == dtype)
      return info.bytes;
  return 0;
}

uint16_t floatToBF16(float value) {
  auto bits = bitCast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40); // quiet, payload kept
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float bf16ToFloat(uint16_t bits) {
  return bitCast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t floatToF16(float value) {
  auto bits = bitCast<uint32_t>(value);
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  uint32_t half;
  if (magnitude > 0x7f800000) {
    half = 0x7e00 | (magnitude >> 13 & 0x3ff);
  } else if (magnitude >= 0x477ff000) { // rounds to 2^16 or is infinite
    half = 0x7c00;
  } else if (magnitude < 0x38800000) { // subnormal: count units of 2^-24
    // Adding 1/2 makes the sum's last bit worth 2^-24, so the addition rounds.
    float sum = bitCast<float>(magnitude) + 0.5f;
    half = bitCast<uint32_t>(sum) - bitCast<uint32_t>(0.5f);
  } else {
    uint32_t rebased = magnitude - (112u << 23); // bias 127 to bias 15
    half = (rebased + 0xfff + (rebased >> 13 & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

float f16ToFloat(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0x1f)
    return bitCast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return bitCast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint8_t floatToE4M3(float value) {
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value))
    return sign | 0x7f;
  float magnitude = std::min(std::fabs(value), 448.0f);
  if (magnitude == 0)
    return sign;
  int power = 0;
  std::frexp(magnitude, &power); // magnitude < 2^power
  power = std::max(power, -5);   // of the smallest normal numbers, 2^-6
  // Units of the last place; with the hidden bit they carry into the exponent
  // where rounding did.
  float units = std::nearbyint(std::ldexp(magnitude, 4 - power));
  int code = static_cast<int>(units) + 8 * (power + 5);
  return sign | static_cast<uint8_t>(code);
}

float e4m3ToFloat(uint8_t bits) {
  int exponent = bits >> 3 & 15, mantissa = bits & 7;
  float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                  : std::ldexp(static_cast<float>(8 + mantissa),
                                               exponent - 10);
  if ((bits & 0x7f) == 0x7f)
    magnitude = std::numeric_limits<float>::quiet_NaN();
  return std::copysign(magnitude, bits & 0x80 ? -1.0f : 1.0f);
}

/// Element `index` of a type that isFloat() names.
static double floatValue(const void *data, uint32_t dtype, uint64_t index) {
  switch (dtype) {
  case MLA_DTYPE_F64:
    return load<double>(data, index);
  case MLA_DTYPE_F32:
    return static_cast<double>(load<float>(data, index));
  case MLA_DTYPE_F16:
    return static_cast<double>(f16ToFloat(load<uint16_t>(data, index)));
  case MLA_DTYPE_BF16:
    return static_cast<double>(bf16ToFloat(load<uint16_t>(data, index)));
  default:
    return static_cast<double>(e4m3ToFloat(load<uint8_t>(data, index)));
  }
}

bool toDoubles(const void *data, uint32_t dtype, uint64_t count,
               std::vector<double> &out) {
  out.resize(count);
  for (uint64_t i = 0; i < count; ++i) {
    switch (dtype) {
    case MLA_DTYPE_F64:
    case MLA_DTYPE_F32:
    case MLA_DTYPE_F16:
    case MLA_DTYPE_BF16:
    case MLA_DTYPE_F8E4M3FN:
      out[i] = floatValue(data, dtype, i);
      break;
    case MLA_DTYPE_I64:
      out[i] = static_cast<double>(load<int64_t>(data, i));
      break;
    case MLA_DTYPE_I32:
      out[i] = load<int32_t>(data, i);
      break;
    case MLA_DTYPE_I8:
      out[i] = load<int8_t>(data, i);
      break;
    case MLA_DTYPE_U8:
    case MLA_DTYPE_BOOL:
      out[i] = load<uint8_t>(data, i);
      break;
    default:
      return false;
    }
  }
  return true;
}

Result<Buffer> convertElements(const void *data, uint32_t from, uint32_t to,
                               uint64_t count) {
  uint64_t size = dtypeBytes(to);
  bool copies = from == to && size;
  bool integers = (from == MLA_DTYPE_I32 && to == MLA_DTYPE_I64) ||
                  (from == MLA_DTYPE_I64 && to == MLA_DTYPE_I32);
  if (!copies && !integers && !(isFloat(from) && isFloat(to)))
    return Error{"expected elements of type " + nameOf(to) + ", got " +
                 nameOf(from)};
  if (count > UINT64_MAX / size)
    return Error{"expected a size in bytes below 2^64, got more"};
  Buffer out(count * size);
  if (!out.data())
    return Error{"expected memory for " + std::to_string(count * size) +
                 " bytes, got none"};
  if (copies) {
    if (count)
      std::memcpy(out.data(), data, count * size);
    return out;
  }

  for (uint64_t i = 0; i < count; ++i) {
    if (from == MLA_DTYPE_I32) {
      store<int64_t>(out, i, load<int32_t>(data, i));
      continue;
    }
    if (from == MLA_DTYPE_I64) {
      auto value = load<int64_t>(data, i);
      if (value < INT32_MIN || value > INT32_MAX)
        return Error{"expected elements that fit i32, got " +
                     std::to_string(value) + " at index " + std::to_string(i)};
      store(out, i, static_cast<int32_t>(value));
      continue;
    }
    double value = floatValue(data, from, i);
    if (to == MLA_DTYPE_F64)
      store(out, i, value);
    else if (to == MLA_DTYPE_F32)
      store(out, i, static_cast<float>(value));
    else if (to == MLA_DTYPE_F8E4M3FN)
      store(out, i, floatToE4M3(static_cast<float>(value)));
    else
      store(out, i,
            to == MLA_DTYPE_F16 ? floatToF16(static_cast<float>(value))
                                : floatToBF16(static_cast<float>(value)));
  }
  return out;
}

} // namespace mla::io
