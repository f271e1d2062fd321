//===- Operands.cpp - Tensors on the device for one workload --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Operands.h"

#include "io/Dtype.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

using namespace mla;
using namespace mla::bench;

Operands::~Operands() {
  for (void *data : memory)
    mla_device_free(ctx, data);
}

const mla_tensor *Operands::make(uint32_t dtype,
                                 std::initializer_list<int64_t> dims,
                                 const std::vector<char> &block) {
  mla_tensor tensor = {};
  tensor.dtype = dtype;
  for (int64_t dim : dims)
    tensor.shape[tensor.rank++] = dim;
  int64_t count = 1;
  for (int i = tensor.rank; i-- > 0; count *= tensor.shape[i])
    tensor.strides[i] = count;
  uint64_t bytes = static_cast<uint64_t>(count) * mla_dtype_bits(dtype) / 8;
  tensor.data = mla_device_alloc(ctx, std::max<uint64_t>(bytes, 1));
  if (!tensor.data) {
    if (reason.empty())
      reason = mla_last_error(ctx);
    return nullptr;
  }
  memory.push_back(tensor.data);
  static const std::vector<char> zeroes(1 << 20);
  io::Status filled =
      device.fill(tensor.data, bytes, block.empty() ? zeroes : block);
  if (!filled) {
    if (reason.empty())
      reason = filled.error();
    return nullptr;
  }
  tensors.push_back(tensor);
  return &tensors.back();
}

/// `count` numbers within (-2, 2), the same in every run; nothing of a type
/// that they can't be converted to.
static std::vector<char> randomBytes(uint32_t dtype, size_t count) {
  std::mt19937 engine(1);
  std::vector<char> bytes(count * io::dtypeBytes(dtype));
  if (dtype == MLA_DTYPE_F8E4M3FN) {
    for (char &byte : bytes)
      // Without the top bit of the exponent: below 2, and no NaN.
      byte = static_cast<char>(engine() & 0xBF);
    return bytes;
  }
  std::uniform_real_distribution<float> uniform(-2, 2);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(engine);
  io::Result<io::Buffer> converted =
      io::convertElements(values.data(), MLA_DTYPE_F32, dtype, count);
  if (!converted)
    return {};
  std::memcpy(bytes.data(), converted->data(), bytes.size());
  return bytes;
}

const mla_tensor *Operands::random(uint32_t dtype,
                                   std::initializer_list<int64_t> dims) {
  // Not a divisor of any row, so that rows differ.
  return make(dtype, dims, randomBytes(dtype, 262139));
}

const mla_tensor *Operands::packedRows(int64_t pages, int64_t pageSize,
                                       int64_t latent, uint32_t peType,
                                       int64_t pe) {
  const size_t rows = 1021; // a prime: pages differ
  auto scales = static_cast<size_t>(latent / 128);
  auto latentBytes = static_cast<size_t>(latent);
  size_t peBytes = static_cast<size_t>(pe) * io::dtypeBytes(peType);
  size_t rowBytes = latentBytes + scales * sizeof(float) + peBytes;
  std::vector<char> latents =
      randomBytes(MLA_DTYPE_F8E4M3FN, rows * latentBytes);
  std::vector<char> pes = randomBytes(peType, rows * static_cast<size_t>(pe));
  const std::vector<float> ones(scales, 1.0f);
  std::vector<char> block(rows * rowBytes);
  for (size_t i = 0; i < rows; ++i) {
    char *row = block.data() + i * rowBytes;
    std::memcpy(row, latents.data() + i * latentBytes, latentBytes);
    std::memcpy(row + latentBytes, ones.data(), scales * sizeof(float));
    if (peBytes)
      std::memcpy(row + rowBytes - peBytes, pes.data() + i * peBytes, peBytes);
  }
  return make(MLA_DTYPE_I8, {pages, pageSize, static_cast<int64_t>(rowBytes)},
              block);
}

const mla_tensor *Operands::field(const mla_tensor *rows, int64_t begin,
                                  uint32_t dtype, int64_t count) {
  if (!rows || count == 0)
    return nullptr;
  mla_tensor view = *rows;
  view.dtype = dtype;
  view.shape[view.rank - 1] = count;
  for (int i = 0; i + 1 < view.rank; ++i)
    view.strides[i] /= static_cast<int64_t>(io::dtypeBytes(dtype));
  view.byte_offset += static_cast<uint64_t>(begin);
  tensors.push_back(view);
  return &tensors.back();
}

const mla_tensor *Operands::zeros(uint32_t dtype,
                                  std::initializer_list<int64_t> dims) {
  return make(dtype, dims, {});
}

template <typename T>
static std::vector<char> bytesOf(const T *data, size_t n) {
  std::vector<char> bytes(std::max<size_t>(n, 1) * sizeof(T));
  if (n)
    std::memcpy(bytes.data(), data, n * sizeof(T));
  return bytes;
}

const mla_tensor *Operands::integers(std::initializer_list<int64_t> dims,
                                     const std::vector<int32_t> &values) {
  return make(MLA_DTYPE_I32, dims, bytesOf(values.data(), values.size()));
}

const mla_tensor *Operands::integers(std::initializer_list<int64_t> dims,
                                     const std::vector<int64_t> &values) {
  return make(MLA_DTYPE_I64, dims, bytesOf(values.data(), values.size()));
}

const mla_tensor *Operands::scalar(float value) {
  return make(MLA_DTYPE_F32, {}, bytesOf(&value, 1));
}

const mla_tensor *Operands::rotaryTable(int64_t rows, int64_t width) {
  std::vector<float> values(static_cast<size_t>(rows * width));
  int64_t half = width / 2;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < half; ++i) {
      double angle = static_cast<double>(row) *
                     std::pow(10000.0, -static_cast<double>(i) /
                                           static_cast<double>(half));
      values[static_cast<size_t>(row * width + i)] =
          static_cast<float>(std::cos(angle));
      values[static_cast<size_t>(row * width + half + i)] =
          static_cast<float>(std::sin(angle));
    }
  return make(MLA_DTYPE_F32, {rows, width},
              bytesOf(values.data(), values.size()));
}

const mla_tensor *Operands::columns(const mla_tensor *tensor, int64_t begin,
                                    int64_t count) {
  if (!tensor || count == 0)
    return nullptr;
  mla_tensor view = *tensor;
  view.shape[view.rank - 1] = count;
  view.byte_offset +=
      static_cast<uint64_t>(begin) * mla_dtype_bits(view.dtype) / 8;
  tensors.push_back(view);
  return &tensors.back();
}
