//===- LayerNames.h - Arguments of one of several layers --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An entry of several layers has an argument c_kv_0 for layer 0, c_kv_1 for
// layer 1 and so on, where an entry of one layer has c_kv.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_MLA_RUN_LAYERNAMES_H
#define MLA_TOOLS_MLA_RUN_LAYERNAMES_H

#include "io/Manifest.h"

namespace mla::run {

/// The name without a layer's number: c_kv for c_kv_12, and for c_kv.
inline std::string dropLayer(const std::string &name) {
  size_t last = name.find_last_not_of("0123456789");
  bool isNumbered = last != std::string::npos && last > 0 &&
                    last + 1 < name.size() && name[last] == '_';
  return isNumbered ? name.substr(0, last) : name;
}

/// The argument `name`, or that of the first layer; null when there is neither.
inline const io::ManifestArg *findOfAnyLayer(const io::ManifestEntry &entry,
                                             const std::string &name) {
  const io::ManifestArg *arg = entry.find(name);
  return arg ? arg : entry.find(name + "_0");
}

} // namespace mla::run

#endif // MLA_TOOLS_MLA_RUN_LAYERNAMES_H
