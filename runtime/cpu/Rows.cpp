//===- Rows.cpp - Rows of a strided tensor to and from f32 ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Rows.h"

#include "Convert.h"
#include "simd/Dispatch.h"

#include <cstring>

using namespace mla;
using namespace mla::cpu;

namespace {

template <typename T>
void load(const char *row, int64_t step, int64_t count, float *out) {
  const T *in = reinterpret_cast<const T *>(row);
  // A loop of its own for contiguous rows: that one vectorises.
  if (step == 1) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = widen(in[i]);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    out[i] = widen(in[i * step]);
}

template <typename T>
void store(char *row, int64_t step, int64_t count, const float *in) {
  T *out = reinterpret_cast<T *>(row);
  if (step == 1) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = narrow<T>(in[i]);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    out[i * step] = narrow<T>(in[i]);
}

template <typename T> void round(float *values, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = widen(narrow<T>(values[i]));
}

template <typename T>
void copy(const char *from, int64_t fromStep, char *to, int64_t toStep,
          int64_t count) {
  const T *in = reinterpret_cast<const T *>(from);
  T *out = reinterpret_cast<T *>(to);
  for (int64_t i = 0; i < count; ++i)
    out[i * toStep] = in[i * fromStep];
}

} // namespace

void mla::cpu::loadRow(const View &view, const char *row, float *out) {
  int64_t count = view.width();
  if (count == 0)
    return;
  if (view.step() == 1) {
    const auto *halves = reinterpret_cast<const uint16_t *>(row);
    if (view.dtype == MLA_DTYPE_BF16)
      return simd().widenBF16(halves, count, out);
    if (view.dtype == MLA_DTYPE_F16)
      return simd().widenF16(halves, count, out);
    if (view.dtype == MLA_DTYPE_F8E4M3FN)
      return simd().widenF8(reinterpret_cast<const uint8_t *>(row), count, out);
  }
  switch (view.dtype) {
  case MLA_DTYPE_F32:
    return load<float>(row, view.step(), count, out);
  case MLA_DTYPE_F16:
    return load<Half>(row, view.step(), count, out);
  case MLA_DTYPE_BF16:
    return load<BFloat16>(row, view.step(), count, out);
  case MLA_DTYPE_F8E4M3FN:
    return load<Fp8>(row, view.step(), count, out);
  default:
    // The argument checks and the kernels' guards let no other type come here.
    std::memset(out, 0, count * sizeof(float));
  }
}

const RowKernels *mla::cpu::rowKernels(const View &view) {
  if (view.step() != 1 || view.width() % 16 != 0)
    return nullptr;
  switch (view.dtype) {
  case MLA_DTYPE_F32:
    return &simd().f32;
  case MLA_DTYPE_F16:
    return &simd().f16;
  case MLA_DTYPE_BF16:
    return &simd().bf16;
  default:
    return nullptr;
  }
}

void mla::cpu::storeRow(const View &view, char *row, const float *in) {
  int64_t count = view.width();
  if (count == 0)
    return;
  if (view.step() == 1) {
    auto *halves = reinterpret_cast<uint16_t *>(row);
    if (view.dtype == MLA_DTYPE_BF16)
      return simd().narrowBF16(in, count, halves);
    if (view.dtype == MLA_DTYPE_F16)
      return simd().narrowF16(in, count, halves);
  }
  switch (view.dtype) {
  case MLA_DTYPE_F32:
    return store<float>(row, view.step(), count, in);
  case MLA_DTYPE_F16:
    return store<Half>(row, view.step(), count, in);
  case MLA_DTYPE_BF16:
    return store<BFloat16>(row, view.step(), count, in);
  case MLA_DTYPE_F8E4M3FN:
    return store<Fp8>(row, view.step(), count, in);
  default:
    return;
  }
}

void mla::cpu::roundRow(uint32_t dtype, float *values, int64_t count) {
  if (dtype == MLA_DTYPE_F16)
    round<Half>(values, count);
  else if (dtype == MLA_DTYPE_BF16)
    round<BFloat16>(values, count);
}

void mla::cpu::scaleRow(float *values, int64_t count, float factor) {
  simd().scale(values, count, factor);
}

void mla::cpu::copyElements(const char *from, int64_t fromStep, char *to,
                            int64_t toStep, int64_t count, int64_t size) {
  if (count == 0)
    return;
  if (fromStep == 1 && toStep == 1) {
    // memmove: source and destination may be the same row.
    std::memmove(to, from, count * size);
    return;
  }
  switch (size) {
  case 1:
    return copy<uint8_t>(from, fromStep, to, toStep, count);
  case 2:
    return copy<uint16_t>(from, fromStep, to, toStep, count);
  case 4:
    return copy<uint32_t>(from, fromStep, to, toStep, count);
  case 8:
    return copy<uint64_t>(from, fromStep, to, toStep, count);
  default:
    return;
  }
}

void mla::cpu::convertRow(const View &src, const char *from, const View &dst,
                          char *to, float *buffer) {
  if (dst.width() == 0)
    return;
  if (src.dtype == dst.dtype) {
    copyElements(from, src.step(), to, dst.step(), dst.width(),
                 dst.elementSize);
    return;
  }
  loadRow(src, from, buffer);
  storeRow(dst, to, buffer);
}

void mla::cpu::zeroRow(const View &view, char *row) {
  int64_t count = view.width();
  if (count == 0)
    return;
  if (view.step() == 1) {
    std::memset(row, 0, count * view.elementSize);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    std::memset(row + i * view.step() * view.elementSize, 0, view.elementSize);
}
