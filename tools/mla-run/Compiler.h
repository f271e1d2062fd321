//===- Compiler.h - Runs mla-compile as a child -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_MLA_RUN_COMPILER_H
#define MLA_TOOLS_MLA_RUN_COMPILER_H

#include "io/Result.h"

namespace mla::run {

/// A module compiled into a temporary directory, which goes with the object.
class CompiledModule {
public:
  CompiledModule() = default;
  CompiledModule(CompiledModule &&other) noexcept { *this = std::move(other); }
  CompiledModule &operator=(CompiledModule &&other) noexcept {
    std::swap(directory, other.directory);
    return *this;
  }
  ~CompiledModule();

  std::string path() const { return directory + "/module.so"; }

  /// Runs the mla-compile that lies beside this tool on `source`, and says so
  /// on stderr. Its own messages go to stderr too.
  static io::Result<CompiledModule> compile(const std::string &source);

private:
  std::string directory;
};

} // namespace mla::run

#endif // MLA_TOOLS_MLA_RUN_COMPILER_H
