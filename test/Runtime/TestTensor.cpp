//===- TestTensor.cpp - Strided tensors in guarded, poisoned memory -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestTensor.h"

using namespace mla;
using namespace mla::test;

static const int64_t guardBytes = 256;

TestTensor::TestTensor(uint32_t dtype, Shape shape, Layout layout,
                       Random &random) {
  tensor.device_type = MLA_DEVICE_CPU;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  bool gapped = layout == Layout::Gapped;
  int64_t stride = gapped && random.chance(0.2) ? 2 : 1;
  for (int i = tensor.rank - 1; i >= 0; --i) {
    tensor.shape[i] = shape[i];
    tensor.strides[i] = stride;
    stride *=
        std::max<int64_t>(shape[i], 1) + (gapped ? random.integer(0, 2) : 0);
    stride += gapped ? random.integer(0, 3) : 0;
  }
  int64_t size = mla_dtype_bits(dtype) / 8;
  int64_t offset = gapped ? random.integer(0, 5) : 0;
  storage = makeStorage(2 * guardBytes + (offset + stride) * size);
  tensor.data = storage->bytes.data();
  tensor.byte_offset = guardBytes + offset * size;
}

TestTensor::TestTensor(uint32_t dtype, Shape shape,
                       const std::vector<int64_t> &values) {
  Random unused(0);
  *this = TestTensor(dtype, std::move(shape), Layout::Dense, unused);
  size_t next = 0;
  forEach([&](const Shape &index) {
    set(index, static_cast<double>(values[next++]));
  });
}

int64_t TestTensor::numElements() const {
  int64_t count = 1;
  for (int i = 0; i < tensor.rank; ++i)
    count *= tensor.shape[i];
  return count;
}

TestTensor TestTensor::columns(int64_t begin, int64_t count) const {
  TestTensor view = *this;
  int last = tensor.rank - 1;
  view.tensor.shape[last] = count;
  view.tensor.byte_offset +=
      begin * tensor.strides[last] * (mla_dtype_bits(tensor.dtype) / 8);
  return view;
}

TestTensor TestTensor::part(uint32_t dtype, int64_t begin,
                            int64_t count) const {
  TestTensor view = *this;
  int last = tensor.rank - 1;
  for (int i = 0; i < last; ++i)
    view.tensor.strides[i] = tensor.strides[i] * mla_dtype_bits(tensor.dtype) /
                             mla_dtype_bits(dtype);
  view.tensor.strides[last] = 1;
  view.tensor.shape[last] = count;
  view.tensor.byte_offset += begin;
  view.tensor.dtype = dtype;
  return view;
}

TestTensor TestTensor::rows(int64_t begin, int64_t count) const {
  TestTensor view = *this;
  view.tensor.shape[0] = count;
  view.tensor.byte_offset +=
      begin * tensor.strides[0] * (mla_dtype_bits(tensor.dtype) / 8);
  return view;
}

TestTensor TestTensor::slice(int64_t i) const {
  TestTensor view = rows(i, 1);
  --view.tensor.rank;
  for (int d = 0; d < view.tensor.rank; ++d) {
    view.tensor.shape[d] = tensor.shape[d + 1];
    view.tensor.strides[d] = tensor.strides[d + 1];
  }
  return view;
}

uint8_t *TestTensor::address(const Shape &index) const {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i)
    offset += index[i] * tensor.strides[i];
  return static_cast<uint8_t *>(tensor.data) + tensor.byte_offset +
         offset * (mla_dtype_bits(tensor.dtype) / 8);
}

void TestTensor::forEach(
    const std::function<void(const Shape &)> &visit) const {
  if (numElements() == 0)
    return;
  Shape index(tensor.rank, 0);
  while (true) {
    visit(index);
    int d = tensor.rank - 1;
    for (; d >= 0 && ++index[d] == tensor.shape[d]; --d)
      index[d] = 0;
    if (d < 0)
      return;
  }
}

void TestTensor::fillRandom(Random &random, double low, double high) const {
  forEach([&](const Shape &index) { set(index, random.real(low, high)); });
}

void TestTensor::fill(double value) const {
  forEach([&](const Shape &index) { set(index, value); });
}

void TestTensor::assign(const reference::Array &values) const {
  size_t next = 0;
  forEach([&](const Shape &index) { set(index, values.data[next++]); });
}

reference::Array TestTensor::array() const {
  if (!storage)
    return reference::Array();
  reference::Array result(shape());
  size_t next = 0;
  forEach([&](const Shape &index) { result.data[next++] = at(index); });
  return result;
}

bool TestTensor::sameBits(const TestTensor &other) const {
  if (shape() != other.shape() || dtype() != other.dtype())
    return false;
  bool same = true;
  forEach([&](const Shape &index) {
    same &= std::memcmp(address(index), other.address(index),
                        mla_dtype_bits(dtype()) / 8) == 0;
  });
  return same;
}

bool TestTensor::sameValues(const TestTensor &other) const {
  if (shape() != other.shape() || dtype() != other.dtype())
    return false;
  bool same = true;
  forEach([&](const Shape &index) {
    same &= std::memcmp(address(index), other.address(index),
                        mla_dtype_bits(dtype()) / 8) == 0 ||
            (std::isnan(at(index)) && std::isnan(other.at(index)));
  });
  return same;
}

std::string TestTensor::describe() const {
  if (!storage)
    return "none";
  std::string text = mla_dtype_name(tensor.dtype);
  for (const int64_t *values : {tensor.shape, tensor.strides}) {
    text += values == tensor.shape ? " [" : " strides [";
    for (int i = 0; i < tensor.rank; ++i)
      text += (i ? ", " : "") + std::to_string(values[i]);
    text += "]";
  }
  return text;
}

void Canary::allow(const TestTensor &view) {
  if (view.storage != storage)
    return;
  int64_t size = mla_dtype_bits(view.dtype()) / 8;
  view.forEach([&](const Shape &index) {
    int64_t begin = view.address(index) - storage->bytes.data();
    for (int64_t i = 0; i < size; ++i)
      allowed[begin + i] = true;
  });
}

int64_t Canary::damage() const {
  int64_t count = 0;
  for (size_t i = 0; i < before.size(); ++i)
    count += storage->bytes[i] != before[i] && !allowed[i];
  return count;
}

double mla::test::relativeError(const reference::Array &actual,
                                const reference::Array &expected) {
  if (actual.shape != expected.shape)
    return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < actual.data.size(); ++i) {
    double a = actual.data[i], e = expected.data[i];
    bool infinite = std::isinf(e);
    if (!infinite)
      norm += e * e;
    if (a == e || (std::isnan(a) && std::isnan(e)))
      continue;
    difference +=
        infinite ? std::numeric_limits<double>::infinity() : (a - e) * (a - e);
  }
  if (std::isnan(norm))
    return norm;
  return std::sqrt(norm == 0 ? difference : difference / norm);
}

double mla::test::tolerance(uint32_t dtype) {
  return dtype == MLA_DTYPE_F32 ? 1e-5 : 1e-2;
}
