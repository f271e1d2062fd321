//===- MemoryImage.h - What memory is to hold after a call ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_MEMORYIMAGE_H
#define MLA_TEST_RUNTIME_OPS_MEMORYIMAGE_H

#include "TestTensor.h"

#include <map>
#include <string>
#include <vector>

namespace mla {
namespace test {

/// Every byte of the memory behind some tensors, guards and gaps included, as
/// it is to be after a call: what it was, but for what is put. Comparing takes
/// no longer than reading, so that it serves megabytes.
class MemoryImage {
public:
  /// Takes the memory behind `tensor` as it is now, unless another tensor has
  /// brought it along already. An absent tensor has none.
  void watch(std::string name, const TestTensor &tensor);

  /// From here on the elements of `to`, a view of watched memory, are to be
  /// those of `from`, of the same shape and type, bit for bit...
  void put(const TestTensor &from, const TestTensor &to);
  /// ...or 0.
  void zero(const TestTensor &to);

  /// Says what differs: how many elements of which tensors, and the first of
  /// each; how many bytes beside. Empty: nothing.
  std::string difference() const;

private:
  ptrdiff_t shiftTo(const TestTensor &tensor);

  std::map<TestStorage *, std::vector<uint8_t>> images;
  std::vector<std::pair<std::string, TestTensor>> watched;
};

/// Copies the elements, bit for bit; both have one shape and type.
void copyElements(const TestTensor &from, const TestTensor &to);

/// Sets all memory behind `tensor`, guards and gaps included, to random bytes.
void fillMemory(Random &random, const TestTensor &tensor);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_MEMORYIMAGE_H
