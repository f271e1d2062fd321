//===- HostTensor.cpp - Contiguous tensors on the host --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostTensor.h"

#include "io/Dtype.h"
#include "mla_runtime/tensor.h"

#include <cstring>

namespace mla::parity {

uint64_t HostTensor::rowBytes() const {
  uint64_t count = io::dtypeBytes(dtype);
  for (size_t i = 1; i < shape.size(); ++i)
    count *= static_cast<uint64_t>(shape[i]);
  return count;
}

uint64_t HostTensor::numElements() const {
  return bytes.size() / io::dtypeBytes(dtype);
}

HostTensor::HostTensor(uint32_t dtype, std::vector<int64_t> dims)
    : dtype(dtype), shape(std::move(dims)) {
  bytes.resize(rowBytes() * (shape.empty() ? 1 : shape[0]));
}

template <typename T>
static void store(HostTensor &tensor, const std::vector<T> &values) {
  if (!values.empty())
    std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
}

HostTensor::HostTensor(uint32_t dtype, std::vector<int64_t> dims,
                       const std::vector<float> &values)
    : HostTensor(dtype, std::move(dims)) {
  if (dtype == MLA_DTYPE_F32)
    store(*this, values);
  for (size_t i = 0; dtype != MLA_DTYPE_F32 && i < values.size(); ++i) {
    uint16_t bits = dtype == MLA_DTYPE_BF16 ? io::floatToBF16(values[i])
                                            : io::floatToF16(values[i]);
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
}

HostTensor HostTensor::fromIntegers(std::vector<int64_t> shape,
                                    const std::vector<int32_t> &values) {
  HostTensor tensor(MLA_DTYPE_I32, std::move(shape));
  store(tensor, values);
  return tensor;
}

HostTensor HostTensor::fromIntegers(std::vector<int64_t> shape,
                                    const std::vector<int64_t> &values) {
  HostTensor tensor(MLA_DTYPE_I64, std::move(shape));
  store(tensor, values);
  return tensor;
}

/// Little-endian bytes of an element of poison.
static std::vector<uint8_t> getPoison(uint32_t dtype) {
  switch (dtype) {
  case MLA_DTYPE_F32:
    return {0xef, 0xbe, 0xda, 0x7f};
  case MLA_DTYPE_BF16:
    return {0xda, 0x7f};
  case MLA_DTYPE_F16:
    return {0xda, 0x7e};
  default:
    return {0xff};
  }
}

void HostTensor::poison() {
  std::vector<uint8_t> element = getPoison(dtype);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = element[i % element.size()];
}

std::vector<double> HostTensor::toDoubles() const {
  std::vector<double> values;
  io::toDoubles(bytes.data(), dtype, numElements(), values);
  return values;
}

HostTensor gatherRows(const HostTensor &source,
                      const std::vector<int64_t> &rows) {
  std::vector<int64_t> shape = source.shape;
  shape[0] = static_cast<int64_t>(rows.size());
  HostTensor result(source.dtype, shape);
  result.poison();
  uint64_t size = source.rowBytes();
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i] >= 0 && size)
      std::memcpy(result.bytes.data() + i * size,
                  source.bytes.data() + static_cast<uint64_t>(rows[i]) * size,
                  size);
  return result;
}

} // namespace mla::parity
