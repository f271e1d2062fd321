//===- TestStorage.cpp - The memory behind the tests' tensors -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestStorage.h"

#include <map>

using namespace mla;
using namespace mla::test;

/// All that live, by their first byte.
static std::map<const uint8_t *, TestStorage *> &storages() {
  static std::map<const uint8_t *, TestStorage *> map;
  return map;
}

std::shared_ptr<TestStorage> mla::test::makeStorage(size_t size) {
  auto remove = [](TestStorage *storage) {
    storages().erase(storage->bytes.data());
    delete storage;
  };
  std::shared_ptr<TestStorage> storage(new TestStorage(size), remove);
  storages()[storage->bytes.data()] = storage.get();
  return storage;
}

TestStorage *mla::test::findStorage(const void *address) {
  auto *byte = static_cast<const uint8_t *>(address);
  auto next = storages().upper_bound(byte);
  if (next == storages().begin())
    return nullptr;
  TestStorage *storage = std::prev(next)->second;
  return byte < storage->bytes.data() + storage->bytes.size() ? storage
                                                              : nullptr;
}
