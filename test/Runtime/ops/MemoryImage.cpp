//===- MemoryImage.cpp - What memory is to hold after a call --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "MemoryImage.h"

#include <gtest/gtest.h>

using namespace mla;
using namespace mla::test;

/// Calls `visit(index)` for the first element of each row.
template <typename Visitor>
static void forEachRow(const TestTensor &tensor, Visitor visit) {
  int last = static_cast<int>(tensor.shape().size()) - 1;
  if (tensor.numElements() == 0)
    return;
  Shape index(last + 1, 0);
  while (true) {
    visit(index);
    int d = last - 1;
    for (; d >= 0 && ++index[d] == tensor.dim(d); --d)
      index[d] = 0;
    if (d < 0)
      return;
  }
}

/// Writes the elements of `to`, or those at `shift` bytes from them; a null
/// `from` means 0.
static void write(const TestTensor *from, const TestTensor &to,
                  ptrdiff_t shift) {
  if (from && (from->shape() != to.shape() || from->dtype() != to.dtype())) {
    ADD_FAILURE() << "expected " << to.describe() << ", got "
                  << from->describe();
    return;
  }
  int64_t size = mla_dtype_bits(to.dtype()) / 8;
  size_t last = to.shape().size() - 1;
  int64_t width = to.dim(static_cast<int>(last));
  int64_t toStep = to.get()->strides[last] * size;
  int64_t fromStep = from ? from->get()->strides[last] * size : size;
  forEachRow(to, [&](const Shape &index) {
    uint8_t *out = to.address(index) + shift;
    const uint8_t *in = from ? from->address(index) : nullptr;
    bool whole = toStep == size && fromStep == size;
    int64_t count = whole ? 1 : width, bytes = whole ? width * size : size;
    for (int64_t i = 0; i < count; ++i) {
      if (in)
        std::memcpy(out + i * toStep, in + i * fromStep, bytes);
      else
        std::memset(out + i * toStep, 0, bytes);
    }
  });
}

void MemoryImage::watch(std::string name, const TestTensor &tensor) {
  if (!tensor)
    return;
  TestStorage *storage = findStorage(tensor.get()->data);
  if (!images.count(storage))
    images[storage] = storage->bytes;
  watched.emplace_back(std::move(name), tensor);
}

ptrdiff_t MemoryImage::shiftTo(const TestTensor &tensor) {
  TestStorage *storage = findStorage(tensor.get()->data);
  return images.at(storage).data() - storage->bytes.data();
}

void MemoryImage::put(const TestTensor &from, const TestTensor &to) {
  write(&from, to, shiftTo(to));
}

void MemoryImage::zero(const TestTensor &to) {
  write(nullptr, to, shiftTo(to));
}

std::string MemoryImage::difference() const {
  std::string text;
  for (const auto &[storage, image] : images) {
    if (storage->bytes == image)
      continue;
    // What is left of the difference without the elements that are named.
    std::vector<uint8_t> rest = storage->bytes;
    for (const auto &[name, tensor] : watched) {
      if (findStorage(tensor.get()->data) != storage)
        continue;
      int64_t size = mla_dtype_bits(tensor.dtype()) / 8, count = 0;
      std::string first;
      tensor.forEach([&](const Shape &index) {
        const uint8_t *got = tensor.address(index);
        int64_t at = got - storage->bytes.data();
        if (std::memcmp(got, &image[at], size) == 0)
          return;
        std::memcpy(&rest[at], &image[at], size);
        if (count++ > 0)
          return;
        for (int64_t i : index)
          first += (first.empty() ? "[" : ", ") + std::to_string(i);
        first += "]: expected " +
                 std::to_string(decode(tensor.dtype(), &image[at])) + ", got " +
                 std::to_string(tensor.at(index));
      });
      if (count > 0)
        text += name + ": " + std::to_string(count) + " of " +
                std::to_string(tensor.numElements()) +
                " elements differ, first " + first + "; ";
    }
    int64_t beside = 0;
    for (size_t i = 0; i < rest.size(); ++i)
      beside += rest[i] != image[i];
    if (beside > 0)
      text += std::to_string(beside) + " bytes beside the elements changed; ";
  }
  return text;
}

void mla::test::copyElements(const TestTensor &from, const TestTensor &to) {
  write(&from, to, 0);
}

void mla::test::fillMemory(Random &random, const TestTensor &tensor) {
  std::vector<uint8_t> &bytes = findStorage(tensor.get()->data)->bytes;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    auto word = static_cast<uint32_t>(random.integer(0, UINT32_MAX));
    std::memcpy(&bytes[i], &word, std::min<size_t>(4, bytes.size() - i));
  }
}
