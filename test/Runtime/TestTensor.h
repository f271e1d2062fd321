//===- TestTensor.h - Strided tensors in guarded, poisoned memory ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_TESTTENSOR_H
#define MLA_TEST_RUNTIME_TESTTENSOR_H

#include "Random.h"
#include "TestDtype.h"
#include "TestStorage.h"
#include "reference/Array.h"

#include <functional>
#include <memory>
#include <string>

namespace mla {
namespace test {

using Shape = std::vector<int64_t>;

/// Dense: row-major without gaps. Gapped: every stride has room to spare, as
/// slices and cache views do, and sometimes the last one does too.
enum class Layout { Dense, Gapped };

/// An mla_tensor and its memory: guard bytes on both sides, and every byte 0xFF
/// at first, which is a NaN or -1. A default one is absent. Copies and views
/// share memory.
class TestTensor {
public:
  TestTensor() = default;
  TestTensor(uint32_t dtype, Shape shape, Layout layout, Random &random);
  /// Dense, of these values.
  TestTensor(uint32_t dtype, Shape shape, const std::vector<int64_t> &values);

  /// For a parameter field: null when absent.
  const mla_tensor *get() const { return storage ? &tensor : nullptr; }
  explicit operator bool() const { return storage != nullptr; }

  uint32_t dtype() const { return tensor.dtype; }
  int64_t dim(int i) const { return tensor.shape[i]; }
  Shape shape() const {
    return Shape(tensor.shape, tensor.shape + tensor.rank);
  }
  int64_t numElements() const;

  /// View of the columns [begin, begin + count) of the last dim.
  TestTensor columns(int64_t begin, int64_t count) const;
  /// View of the columns as memory: `count` elements of `dtype` from byte
  /// `begin` of each row on.
  TestTensor part(uint32_t dtype, int64_t begin, int64_t count) const;
  /// View of index `i` of the first dim.
  TestTensor slice(int64_t i) const;
  /// View of the indices [begin, begin + count) of the first dim.
  TestTensor rows(int64_t begin, int64_t count) const;

  uint8_t *address(const Shape &index) const;
  double at(const Shape &index) const {
    return decode(tensor.dtype, address(index));
  }
  void set(const Shape &index, double value) const {
    encode(tensor.dtype, value, address(index));
  }

  /// Calls `visit` with every index, in order.
  void forEach(const std::function<void(const Shape &)> &visit) const;
  /// Sets every element to a number in [low, high).
  void fillRandom(Random &random, double low = -1, double high = 1) const;
  void fill(double value) const;
  /// Sets every element; both have one shape.
  void assign(const reference::Array &values) const;
  /// The values; an absent array for an absent tensor.
  reference::Array array() const;
  /// True when both have one shape and type and equal bits everywhere.
  bool sameBits(const TestTensor &other) const;
  /// The same, but any NaN for any other: which one a NaN becomes is not
  /// promised where it goes from one type to another.
  bool sameValues(const TestTensor &other) const;

  /// "bf16 [3, 16, 64] strides [...]" for messages.
  std::string describe() const;

private:
  friend class Canary;
  std::shared_ptr<TestStorage> storage;
  mla_tensor tensor = {};
};

/// Watches all memory behind a tensor: gaps, guards and elements that a call
/// should leave alone.
class Canary {
public:
  /// From here on nothing may change...
  explicit Canary(const TestTensor &tensor)
      : storage(tensor.storage), before(tensor.storage->bytes),
        allowed(before.size(), false) {}
  /// ...but the elements of `view`, where that is of the same memory.
  void allow(const TestTensor &view);
  /// Number of bytes that changed and shouldn't have.
  int64_t damage() const;

private:
  std::shared_ptr<TestStorage> storage;
  std::vector<uint8_t> before;
  std::vector<bool> allowed;
};

/// ‖actual - expected‖ / ‖expected‖ over the elements; elements that are equal,
/// infinities included, differ by 0. NaN when either has an unmatched NaN; the
/// norm of `actual` where expected is 0 everywhere; infinity for other shapes.
double relativeError(const reference::Array &actual,
                     const reference::Array &expected);

/// What a correct kernel's output of type `dtype` is within: 1e-5 for f32, 1e-2
/// for f16 and bf16.
double tolerance(uint32_t dtype);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_TESTTENSOR_H
