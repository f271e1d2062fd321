//===- BackendRegistry.cpp - Finds a backend by its name ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/BackendRegistry.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

/// "dir/libmla_runtime_cuda.so" beside this library, or the bare name, which
/// the loader looks for on its own path.
static void *openLibrary(const char *fileName) {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void *>(&mla_abi_version), &self) &&
      self.dli_fname) {
    const char *slash = std::strrchr(self.dli_fname, '/');
    char path[4096];
    int length = slash ? std::snprintf(path, sizeof(path), "%.*s/%s",
                                       static_cast<int>(slash - self.dli_fname),
                                       self.dli_fname, fileName)
                       : -1;
    // If it is there and does not load, that is what the user must hear.
    if (length > 0 && length < static_cast<int>(sizeof(path)) &&
        access(path, F_OK) == 0)
      return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  return dlopen(fileName, RTLD_NOW | RTLD_LOCAL);
}

static mla_status loadCuda(const MlaBackend *&backend) {
  const char *fileName = "libmla_runtime_cuda.so";
  // Stays loaded: contexts point into it.
  void *library = openLibrary(fileName);
  if (!library)
    return failThread(MLA_STATUS_NOT_FOUND,
                      "mla_context_create: backend 'cuda': expected %s beside "
                      "the runtime or on the loader's path, got: %s",
                      fileName, dlerror());
  auto table =
      reinterpret_cast<MlaBackendTableFn>(dlsym(library, "mla_backend_table"));
  const MlaBackend *found = table ? table() : nullptr;
  if (!found || found->abi != MLA_BACKEND_ABI) {
    dlclose(library);
    return failThread(MLA_STATUS_FAILED_PRECONDITION,
                      "mla_context_create: backend 'cuda': expected a table of "
                      "version %u in %s, got %s",
                      MLA_BACKEND_ABI, fileName,
                      found ? "another version" : "none");
  }
  backend = found;
  return MLA_STATUS_OK;
}

mla_status findBackend(const char *name, const MlaBackend *&backend) {
  if (!name)
    return failThread(MLA_STATUS_INVALID_ARGUMENT,
                      "mla_context_create: backend: expected a name, got null");
  if (std::strcmp(name, "cpu") == 0) {
    backend = &cpuBackend();
    return MLA_STATUS_OK;
  }
  if (std::strcmp(name, "cuda") == 0)
    return loadCuda(backend);
  return failThread(MLA_STATUS_NOT_FOUND,
                    "mla_context_create: backend: expected 'cpu' or 'cuda', "
                    "got '%s'",
                    name);
}
