//===- Load.cpp - Loads a plugin as MLIR does -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stands where mlir::DialectPlugin::load and mlir::PassPlugin::load are: in
// some libMLIR.so, or in a program.
//
//===----------------------------------------------------------------------===//

#include "Load.h"
#include <cstdint>
#include <cstdio>
#include <dlfcn.h>
#include <initializer_list>

namespace {
struct PluginInfo {
  uint32_t apiVersion;
  const char *name;
  const char *version;
  void (*registerCallback)();
};
} // namespace

bool loadPlugin(const char *file) {
  void *plugin = dlopen(file, RTLD_LAZY | RTLD_GLOBAL);
  if (!plugin) {
    std::fprintf(stderr, "host: error: %s\n", dlerror());
    return false;
  }
  for (const char *entry :
       {"mlirGetDialectPluginInfo", "mlirGetPassPluginInfo"}) {
    PluginInfo info =
        reinterpret_cast<PluginInfo (*)()>(dlsym(plugin, entry))();
    if (info.apiVersion != 1) {
      std::printf("%s: refused\n", entry);
      continue;
    }
    std::printf("%s: %s %s, %s\n", entry, info.name, info.version,
                info.registerCallback ? "registers" : "empty");
  }
  return true;
}
