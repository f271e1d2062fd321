//===- Module.cpp - Loads compiled modules --------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Context.h"

#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fstream>
#include <link.h>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>
#include <vector>

struct mla_module {
  void *library = nullptr;
  const char *manifest = nullptr;
  std::vector<std::string> entries;
  /// Their arguments, in any order; null in modules of earlier compilers.
  const mla_entry_spec *specs = nullptr;

  ~mla_module() {
    if (library)
      dlclose(library);
  }
};

/// A module leaves mla_* undefined. When this library came into the process
/// privately (a plugin's dependency, an interpreter's extension), its symbols
/// must be made visible first, or no module resolves.
static void publishRuntime() {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void *>(&mla_abi_version), &self) &&
      self.dli_fname)
    if (void *library =
            dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL))
      dlclose(library);
}

/// Names of the manifest's entries; false when it is not what the ABI page
/// says.
static bool readManifest(const char *text, std::vector<std::string> &entries) {
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != 1 ||
      !json.contains("entries") || !json["entries"].is_array())
    return false;
  for (const auto &entry : json["entries"]) {
    if (!entry.is_object() || !entry.contains("name") ||
        !entry["name"].is_string())
      return false;
    entries.push_back(entry["name"].get<std::string>());
  }
  return true;
}

/// Whether `file` is an ELF file shorter than its headers say: the loader would
/// map what isn't there, and the process die of it.
static bool isTruncated(const char *file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  uint64_t size = stream.tellg();
  ElfW(Ehdr) header;
  stream.seekg(0);
  if (!stream.read(reinterpret_cast<char *>(&header), sizeof(header)) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return false; // The loader says what it is instead.
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    stream.seekg(header.e_phoff + i * sizeof(segment));
    if (!stream.read(reinterpret_cast<char *>(&segment), sizeof(segment)) ||
        segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
      return true;
  }
  return false;
}

static mla_status load(const char *path, mla_module *&out) {
  std::string file = path;
  // Without a slash, dlopen looks everywhere but here.
  if (file.find('/') == std::string::npos)
    file = "./" + file;
  if (access(file.c_str(), R_OK) != 0)
    return failThread(MLA_STATUS_NOT_FOUND,
                      "%s: expected a compiled module, got no readable file",
                      path);
  if (isTruncated(file.c_str()))
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "%s: expected a compiled module, got a truncated one",
                      path);
  publishRuntime();
  auto module = std::make_unique<mla_module>();
  module->library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module->library)
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "%s: expected a compiled module, got: %s", path,
                      dlerror());
  auto *abi =
      static_cast<const uint32_t *>(dlsym(module->library, "mla_module_abi"));
  module->manifest =
      static_cast<const char *>(dlsym(module->library, "mla_manifest"));
  if (!abi || !module->manifest)
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "%s: expected a compiled module, got a library without "
                      "%s",
                      path, abi ? "mla_manifest" : "mla_module_abi");
  if (*abi != MLA_ABI_VERSION)
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "%s: expected a module of ABI %d, got ABI %u", path,
                      MLA_ABI_VERSION, *abi);
  if (!readManifest(module->manifest, module->entries))
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "%s: expected a manifest of schema 1, got another or a "
                      "malformed one",
                      path);
  for (const std::string &entry : module->entries)
    if (!dlsym(module->library, entry.c_str()))
      return failThread(MLA_STATUS_FAILED_PRECONDITION,
                        "%s: expected a symbol for the manifest's entry '%s', "
                        "got none",
                        path, entry.c_str());
  module->specs = static_cast<const mla_entry_spec *>(
      dlsym(module->library, "mla_module_entries"));
  out = module.release();
  return MLA_STATUS_OK;
}

extern "C" mla_status mla_module_load(const char *path, mla_module **out) {
  if (!out || !path)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_module_load: %s: expected an address, got null",
                      out ? "path" : "out");
  *out = nullptr;
  try {
    return load(path, *out);
  } catch (...) {
    return failThread(MLA_STATUS_RESOURCE_EXHAUSTED,
                      "%s: expected host memory to load a module, got none",
                      path);
  }
}

extern "C" void mla_module_unload(mla_module *module) { delete module; }

extern "C" const char *mla_module_manifest(const mla_module *module) {
  return module ? module->manifest : "";
}

/// Whether the manifest lists `name`: another symbol may be anything. When it
/// doesn't, the thread's error says so for `function`.
static bool hasEntry(const mla_module *module, const char *name,
                     const char *function) {
  if (!module || !name) {
    failThread(MLA_STATUS_INVALID_ARGUMENT,
               "%s: %s: expected an address, got null", function,
               module ? "name" : "module");
    return false;
  }
  try {
    std::string names;
    for (const std::string &entry : module->entries) {
      if (entry == name)
        return true;
      names += (names.empty() ? "'" : ", '") + entry + "'";
    }
    failThread(MLA_STATUS_NOT_FOUND, "%s: expected an entry of %s, got '%s'",
               function,
               names.empty() ? "a module that has none" : names.c_str(), name);
  } catch (...) {
    failThread(MLA_STATUS_RESOURCE_EXHAUSTED,
               "%s: expected host memory, got none", function);
  }
  return false;
}

extern "C" mla_entry_fn mla_module_entry(const mla_module *module,
                                         const char *name) {
  if (!hasEntry(module, name, "mla_module_entry"))
    return nullptr;
  return reinterpret_cast<mla_entry_fn>(dlsym(module->library, name));
}

extern "C" const mla_arg_spec *mla_module_arguments(const mla_module *module,
                                                    const char *entry,
                                                    int64_t *count) {
  if (!count) {
    failThread(MLA_STATUS_INVALID_ARGUMENT,
               "mla_module_arguments: count: expected an address, got null");
    return nullptr;
  }
  *count = 0;
  if (!hasEntry(module, entry, "mla_module_arguments"))
    return nullptr;
  for (const mla_entry_spec *spec = module->specs; spec && spec->name; ++spec)
    if (std::strcmp(spec->name, entry) == 0) {
      *count = spec->num_args;
      return spec->args;
    }
  failThread(MLA_STATUS_FAILED_PRECONDITION,
             "mla_module_arguments: expected a module with the arguments of "
             "'%s' in mla_module_entries, got one without; compile it again",
             entry);
  return nullptr;
}
