//===- Module.cpp - A compiled module and its entries' arguments ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"

#include <nlohmann/json.hpp>

using nlohmann::json;

namespace mla::parity {

io::Result<Module> Module::load(const std::string &path) {
  mla_module *loaded = nullptr;
  if (mla_module_load(path.c_str(), &loaded) != MLA_STATUS_OK)
    return io::Error{mla_last_error(nullptr)};
  Module result;
  result.path = path;
  result.module.reset(loaded);
  return result;
}

io::Result<Entry> Module::getEntry(const std::string &name) const {
  Entry entry;
  entry.function = mla_module_entry(module.get(), name.c_str());
  if (!entry.function)
    return io::Error{path + ": " + mla_last_error(nullptr)};
  auto manifest = json::parse(mla_module_manifest(module.get()), nullptr,
                              /*allow_exceptions=*/false);
  // The loader has seen that there is an array of entries with names.
  for (const json &described : manifest["entries"]) {
    if (described["name"] != name)
      continue;
    for (const json &argument : described.value("args", json::array()))
      if (argument.is_object())
        entry.arguments.push_back(
            {argument.value("name", ""), argument.value("role", "")});
  }
  return entry;
}

} // namespace mla::parity
