//===- TemporaryDirectory.h - A clean directory -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_IO_TEMPORARYDIRECTORY_H
#define MLA_TEST_RUNTIME_IO_TEMPORARYDIRECTORY_H

#include <cstdlib>
#include <filesystem>
#include <string>

namespace mla::io {

class TemporaryDirectory {
public:
  TemporaryDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "mla-io-XXXXXX").string();
    root = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(root); }

  std::string file(const std::string &name) const {
    return (root / name).string();
  }
  /// How many entries the directory has.
  long entries() const {
    return std::distance(std::filesystem::directory_iterator(root),
                         std::filesystem::directory_iterator());
  }

private:
  std::filesystem::path root;
};

} // namespace mla::io

#endif // MLA_TEST_RUNTIME_IO_TEMPORARYDIRECTORY_H
