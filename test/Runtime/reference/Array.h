//===- Array.h - What the references compute on ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The references are the formulas of the papers and of docs/specification.md in
// float64, written to be read. They share no code with any backend.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_ARRAY_H
#define MLA_TEST_RUNTIME_REFERENCE_ARRAY_H

#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

namespace mla {
namespace reference {

/// A dense row-major array; integers are held exactly. One without a shape
/// stands for an absent argument.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> data;

  Array() = default;
  explicit Array(std::vector<int64_t> dims, double value = 0)
      : shape(std::move(dims)) {
    int64_t count = 1;
    for (int64_t dim : shape)
      count *= dim;
    data.assign(count, value);
  }

  bool present() const { return !shape.empty(); }
  int64_t dim(int i) const { return shape[i]; }
  /// Size of the last dim; 0 for an absent array.
  int64_t width() const { return present() ? shape.back() : 0; }

  /// The element at `index`; indices that are left out are 0.
  template <typename... Index> double &at(Index... index) {
    return data[offset({static_cast<int64_t>(index)...})];
  }
  template <typename... Index> double at(Index... index) const {
    return data[offset({static_cast<int64_t>(index)...})];
  }
  template <typename... Index> int64_t integer(Index... index) const {
    return static_cast<int64_t>(at(index...));
  }

private:
  int64_t offset(std::initializer_list<int64_t> index) const {
    int64_t result = 0;
    auto next = index.begin();
    for (int64_t dim : shape) {
      int64_t i = next == index.end() ? 0 : *next++;
      assert(i >= 0 && i < dim);
      result = result * dim + i;
    }
    return result;
  }
};

/// An attention's output and the natural logarithm of its softmax's
/// denominator.
struct State {
  Array o;
  Array lse;
};

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_ARRAY_H
