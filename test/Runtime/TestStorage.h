//===- TestStorage.h - The memory behind the tests' tensors ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_TESTSTORAGE_H
#define MLA_TEST_RUNTIME_TESTSTORAGE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace mla {
namespace test {

/// Bytes on the host, which views share.
struct TestStorage {
  explicit TestStorage(size_t size) : bytes(size, 0xFF) {}

  std::vector<uint8_t> bytes;
  /// What has the same contents on a device, where there is one; goes with the
  /// bytes.
  std::shared_ptr<void> mirror;
};

/// Memory of `size` bytes of 0xFF.
std::shared_ptr<TestStorage> makeStorage(size_t size);

/// The living storage that `address` lies in, or null.
TestStorage *findStorage(const void *address);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_TESTSTORAGE_H
