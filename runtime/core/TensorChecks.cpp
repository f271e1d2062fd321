//===- TensorChecks.cpp - What is asked of any one tensor, or of two ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/TensorChecks.h"

#include <cstdio>
#include <numeric>

static const char *sizesText(const int64_t *sizes, int32_t rank, char *text,
                             size_t size) {
  int used = std::snprintf(text, size, "[");
  for (int32_t i = 0; i < rank && i < MLA_MAX_RANK; ++i)
    used += std::snprintf(text + used, size - used, "%s%lld", i ? ", " : "",
                          static_cast<long long>(sizes[i]));
  std::snprintf(text + used, size - used, "]");
  return text;
}

const char *shapeText(const mla_tensor &tensor, char *text, size_t size) {
  return sizesText(tensor.shape, tensor.rank, text, size);
}

/// Of offsets and extents in bytes: no sum of a few of them overflows in a
/// backend.
static constexpr uint64_t offsetLimit = uint64_t(1) << 61;

static const char *deviceText(int32_t type, int32_t id, char (&text)[48]) {
  const char *name = type == MLA_DEVICE_CPU    ? "cpu"
                     : type == MLA_DEVICE_CUDA ? "cuda"
                                               : nullptr;
  if (name)
    std::snprintf(text, sizeof(text), "%s:%d", name, id);
  else
    std::snprintf(text, sizeof(text), "device type %d", type);
  return text;
}

static bool hasElements(const mla_tensor &tensor) {
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] == 0)
      return false;
  return true;
}

/// Bytes from the first element's to behind the last one's; false on overflow.
static bool spanBytes(const mla_tensor &tensor, uint64_t &bytes) {
  int64_t last = 0, elements = 1;
  for (int32_t i = 0; i < tensor.rank; ++i) {
    int64_t step;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step) ||
        __builtin_add_overflow(last, step, &last) ||
        __builtin_mul_overflow(elements, tensor.shape[i], &elements))
      return false;
  }
  uint64_t size = mla_dtype_bits(tensor.dtype) / 8;
  if (last >= int64_t(1) << 58)
    return false;
  bytes = (static_cast<uint64_t>(last) + 1) * size;
  return true;
}

/// Two dims that reach the same element by different indices: certain, and
/// exact for any two dims.
static bool meetsItself(const mla_tensor &tensor, int32_t &a, int32_t &b) {
  for (a = 0; a < tensor.rank; ++a) {
    if (tensor.shape[a] < 2)
      continue;
    for (b = a + 1; b < tensor.rank; ++b) {
      if (tensor.shape[b] < 2)
        continue;
      // Nested dims, the usual case, need no division: one step of the outer
      // passes all of the inner.
      int32_t outer = tensor.strides[a] < tensor.strides[b] ? b : a;
      int32_t inner = a + b - outer;
      int64_t reach;
      if (!__builtin_mul_overflow(tensor.strides[inner], tensor.shape[inner],
                                  &reach) &&
          tensor.strides[outer] >= reach)
        continue;
      int64_t gcd = std::gcd(tensor.strides[a], tensor.strides[b]);
      if (tensor.strides[b] / gcd < tensor.shape[a] &&
          tensor.strides[a] / gcd < tensor.shape[b])
        return true;
    }
  }
  return false;
}

namespace {
struct Reporter {
  mla_context &ctx;
  const char *function;
  const char *name;

  bool refuse(mla_status status, const char *format, ...) const
      __attribute__((format(printf, 3, 4))) {
    char text[512];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fail(ctx, status, "%s: %s: %s", function, name, text);
    return false;
  }
};
} // namespace

static bool checkShape(const Reporter &report, const mla_tensor &tensor) {
  char text[192];
  if (tensor.rank < 0 || tensor.rank > MLA_MAX_RANK)
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected a rank in [0, 6], got %d", tensor.rank);
  for (int32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.shape[i] < 0)
      return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                           "expected non-negative sizes, got shape %s",
                           shapeText(tensor, text, sizeof(text)));
    if (tensor.strides[i] < 0)
      return report.refuse(
          MLA_STATUS_INVALID_ARGUMENT,
          "expected non-negative strides, got %lld in dimension %d",
          static_cast<long long>(tensor.strides[i]), i);
  }
  // A tensor without elements has an address all the same.
  uint64_t bytes = 0, address = reinterpret_cast<uintptr_t>(tensor.data);
  bool fits = tensor.byte_offset < offsetLimit &&
              (!hasElements(tensor) || spanBytes(tensor, bytes)) &&
              !__builtin_add_overflow(address, tensor.byte_offset, &address) &&
              !__builtin_add_overflow(address, bytes, &address);
  if (!fits)
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected an extent below 2^61 bytes inside the "
                         "address space, got shape %s with strides, an offset "
                         "or data beyond it",
                         shapeText(tensor, text, sizeof(text)));
  return true;
}

static bool checkData(const Reporter &report, const mla_tensor &tensor,
                      TensorUse use) {
  char text[192];
  int32_t type = use.onHost ? MLA_DEVICE_CPU : report.ctx.backend->deviceType;
  int32_t id = use.onHost ? 0 : report.ctx.device;
  if (tensor.device_type != MLA_DEVICE_CONTEXT &&
      (tensor.device_type != type || tensor.device_id != id)) {
    char expected[48], got[48];
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected device %s, got %s",
                         deviceText(type, id, expected),
                         deviceText(tensor.device_type, tensor.device_id, got));
  }
  if (!tensor.data)
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected data, got null for shape %s",
                         shapeText(tensor, text, sizeof(text)));
  uint32_t size = mla_dtype_bits(tensor.dtype) / 8;
  uintptr_t address = reinterpret_cast<uintptr_t>(tensor.data);
  if ((address + tensor.byte_offset) & (size - 1))
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected an address aligned to the %u bytes of %s, "
                         "got %p with byte_offset %llu",
                         size, mla_dtype_name(tensor.dtype), tensor.data,
                         static_cast<unsigned long long>(tensor.byte_offset));
  return true;
}

static bool checkWritable(const Reporter &report, const mla_tensor &tensor) {
  for (int32_t i = 0; i < tensor.rank; ++i)
    if (tensor.strides[i] == 0 && tensor.shape[i] > 1)
      return report.refuse(
          MLA_STATUS_INVALID_ARGUMENT,
          "expected distinct elements to write, got stride 0 in dimension %d "
          "of size %lld",
          i, static_cast<long long>(tensor.shape[i]));
  int32_t a, b;
  if (meetsItself(tensor, a, b))
    return report.refuse(
        MLA_STATUS_INVALID_ARGUMENT,
        "expected distinct elements to write, got dimensions %d and %d that "
        "meet (strides %lld and %lld)",
        a, b, static_cast<long long>(tensor.strides[a]),
        static_cast<long long>(tensor.strides[b]));
  char shape[192], strides[192];
  if (repeatsElements(tensor))
    return report.refuse(
        MLA_STATUS_INVALID_ARGUMENT,
        "expected distinct elements to write, got dimensions "
        "that meet (shape %s, strides %s)",
        sizesText(tensor.shape, tensor.rank, shape, sizeof(shape)),
        sizesText(tensor.strides, tensor.rank, strides, sizeof(strides)));
  return true;
}

bool checkTensor(mla_context &ctx, const char *function, const char *name,
                 const mla_tensor &tensor, TensorUse use) {
  Reporter report{ctx, function, name};
  uint32_t bits = mla_dtype_bits(tensor.dtype);
  if (bits == 0)
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected a dtype of this ABI, got code %u",
                         tensor.dtype);
  if (bits < 8)
    return report.refuse(MLA_STATUS_UNIMPLEMENTED,
                         "expected elements of whole bytes, got %s",
                         mla_dtype_name(tensor.dtype));
  // An older runtime must not ignore what a newer caller says.
  if (tensor.flags & ~uint64_t(MLA_TENSOR_READ_ONLY))
    return report.refuse(
        MLA_STATUS_UNIMPLEMENTED,
        "expected no flag but MLA_TENSOR_READ_ONLY, got 0x%llx",
        static_cast<unsigned long long>(tensor.flags));
  if (tensor.reserved[0] || tensor.reserved[1])
    return report.refuse(MLA_STATUS_UNIMPLEMENTED,
                         "expected reserved words of zero, got others");
  if (use.written && (tensor.flags & MLA_TENSOR_READ_ONLY))
    return report.refuse(MLA_STATUS_INVALID_ARGUMENT,
                         "expected a tensor to write, got a read-only one");
  if (!checkShape(report, tensor))
    return false;
  if (!hasElements(tensor))
    return true;
  // Planning comes before there is memory; a host scalar is read all the same.
  if ((ctx.mode != MLA_MODE_PLAN || use.onHost) &&
      !checkData(report, tensor, use))
    return false;
  return !use.written || checkWritable(report, tensor);
}

//===----------------------------------------------------------------------===//
// Two tensors
//===----------------------------------------------------------------------===//

Extent extentOf(const mla_tensor &tensor) {
  Extent extent;
  uint64_t bytes = 0;
  if (!hasElements(tensor) || !spanBytes(tensor, bytes))
    return extent;
  extent.begin = reinterpret_cast<uintptr_t>(tensor.data) + tensor.byte_offset;
  extent.end = extent.begin + bytes;
  return extent;
}

bool sameView(const mla_tensor &a, const mla_tensor &b) {
  if (a.dtype != b.dtype || a.rank != b.rank ||
      extentOf(a).begin != extentOf(b).begin)
    return false;
  for (int32_t i = 0; i < a.rank; ++i)
    if (a.shape[i] != b.shape[i] ||
        (a.shape[i] > 1 && a.strides[i] != b.strides[i]))
      return false;
  return true;
}
