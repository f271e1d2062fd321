//===- Module.cpp - A compiled module and its entries' arguments ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"

namespace mla::parity {

io::Result<Module> Module::load(const std::string &path) {
  mla_module *loaded = nullptr;
  if (mla_module_load(path.c_str(), &loaded) != MLA_STATUS_OK)
    return io::Error{mla_last_error(nullptr)};
  Module result;
  result.path = path;
  result.module.reset(loaded);
  auto manifest = io::parseManifest(mla_module_manifest(loaded), path);
  if (!manifest)
    return io::Error{manifest.error()};
  result.manifest = std::move(*manifest);
  return result;
}

io::Result<Entry> Module::getEntry(const std::string &name) const {
  const io::ManifestEntry *described = manifest.find(name);
  mla_entry_fn function = mla_module_entry(module.get(), name.c_str());
  if (!described || !function)
    return io::Error{path + ": " + mla_last_error(nullptr)};
  return Entry{function, described->args};
}

} // namespace mla::parity
