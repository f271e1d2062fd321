//===- Symbols.h - Sizes that an entry's arguments share --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_MLA_RUN_SYMBOLS_H
#define MLA_TOOLS_MLA_RUN_SYMBOLS_H

#include "io/Manifest.h"
#include "io/Result.h"

#include <map>
#include <optional>

namespace mla::run {

/// The values of the symbols in an entry's shapes, and where each came from.
class Symbols {
public:
  /// Gives `symbol` a value; a second, other one is an error that names both
  /// sources.
  io::Status set(const std::string &symbol, int64_t value,
                 const std::string &source);
  /// Gives it a value where it has none.
  void setDefault(const std::string &symbol, int64_t value);
  std::optional<int64_t> get(const std::string &symbol) const;

  /// Compares an argument's shape with `shape`, and learns its symbols from it.
  io::Status match(const io::ManifestArg &arg,
                   const std::vector<int64_t> &shape);
  /// The argument's shape; a symbol without a value is an error.
  io::Result<std::vector<int64_t>> resolve(const io::ManifestArg &arg) const;

private:
  struct Entry {
    int64_t value;
    std::string source;
  };
  std::map<std::string, Entry> entries;
};

std::string showShape(const std::vector<int64_t> &shape);

} // namespace mla::run

#endif // MLA_TOOLS_MLA_RUN_SYMBOLS_H
