//===- mla-plugin.cpp - What a stock mlir-opt loads -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLAPlugin.so looks at the host and, if it fits, loads MLAPluginImpl.so, which
// is linked with MLIR. In a host with another MLIR that would bring in a second
// one, where passes are registered in vain and which crashes on the host's
// objects. So nothing of LLVM may be included or linked here.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <dlfcn.h>
#include <filesystem>
#include <link.h>
#include <string>
#include <string_view>

namespace {

/// mlir::DialectPluginLibraryInfo and PassPluginLibraryInfo, alike but for the
/// callback's type. Every MLIR refuses a version of 0.
struct PluginInfo {
  uint32_t apiVersion;
  const char *name;
  const char *version;
  void (*registerCallback)();
};

/// The library that `object` is, or else needs, whose name starts with
/// `prefix`; null without one.
const char *findLibrary(const link_map &object, std::string_view prefix) {
  const char *names = nullptr;
  for (const ElfW(Dyn) *entry = object.l_ld; entry->d_tag != DT_NULL; ++entry)
    if (entry->d_tag == DT_STRTAB) {
      // Some loaders leave the offset in the file here.
      ElfW(Addr) address = entry->d_un.d_ptr;
      names = reinterpret_cast<const char *>(
          address < object.l_addr ? object.l_addr + address : address);
    }
  for (ElfW(Sxword) tag : {DT_SONAME, DT_NEEDED})
    for (const ElfW(Dyn) *entry = object.l_ld; entry->d_tag != DT_NULL; ++entry)
      if (entry->d_tag == tag) {
        const char *name = names + entry->d_un.d_val;
        if (std::string_view(name).substr(0, prefix.size()) == prefix)
          return name;
      }
  return nullptr;
}

/// Whether the host's MLIR is the one that the implementation is linked with;
/// says what it is if not. `caller` is an address in that MLIR, or in code
/// linked with it.
bool isExpectedHost(const void *caller) {
  Dl_info info;
  void *object = nullptr;
  const char *mlir = nullptr, *llvm = nullptr;
  if (dladdr1(caller, &info, &object, RTLD_DL_LINKMAP) && object) {
    mlir = findLibrary(*static_cast<link_map *>(object), "libMLIR.so");
    llvm = findLibrary(*static_cast<link_map *>(object), "libLLVM");
  } else {
    info.dli_fname = "host";
  }
  if (mlir && mlir == std::string_view(MLA_MLIR_SONAME))
    return true;
  std::string got = mlir ? mlir : "MLIR linked into it";
  if (!mlir && llvm)
    got += std::string(" with ") + llvm;
  std::fprintf(
      stderr,
      "MLAPlugin: error: %s: expected a host that uses " MLA_MLIR_SONAME
      ", got %s\n",
      info.dli_fname, got.c_str());
  return false;
}

/// Loads the implementation, or says why not and returns null. It lies beside
/// this file, which may have been loaded by a link.
void *loadImplementation() {
  Dl_info info;
  dladdr(reinterpret_cast<void *>(loadImplementation), &info);
  std::error_code error;
  std::filesystem::path file =
      std::filesystem::canonical(info.dli_fname, error);
  file.replace_filename("MLAPluginImpl.so");
  void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    std::fprintf(stderr,
                 "MLAPlugin: error: expected MLAPluginImpl.so beside it, for "
                 "this host's MLIR, got: %s\n",
                 dlerror());
  return library;
}

PluginInfo forward(const char *entry, const void *caller) {
  // Once: hosts load the dialect and the passes from the same file.
  static void *const implementation =
      isExpectedHost(caller) ? loadImplementation() : nullptr;
  if (!implementation)
    return {0, "mla", "", nullptr};
  return reinterpret_cast<PluginInfo (*)()>(dlsym(implementation, entry))();
}

} // namespace

extern "C" PluginInfo mlirGetDialectPluginInfo() {
  return forward("mlirGetDialectPluginInfo", __builtin_return_address(0));
}

extern "C" PluginInfo mlirGetPassPluginInfo() {
  return forward("mlirGetPassPluginInfo", __builtin_return_address(0));
}
