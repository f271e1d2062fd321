//===- Module.h - A compiled module and its entries' arguments --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_MODULE_H
#define MLA_TOOLS_PARITY_MODULE_H

#include "io/Manifest.h"
#include "io/Result.h"
#include "mla_runtime/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace mla::parity {

/// An entry that may be called.
struct Entry {
  mla_entry_fn function = nullptr;
  std::vector<io::ManifestArg> arguments;
};

/// A compiled module. Entries are gone with it.
class Module {
public:
  static io::Result<Module> load(const std::string &path);
  io::Result<Entry> getEntry(const std::string &name) const;

private:
  struct Unloader {
    void operator()(mla_module *module) const { mla_module_unload(module); }
  };
  std::string path;
  io::Manifest manifest;
  std::unique_ptr<mla_module, Unloader> module;
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_MODULE_H
