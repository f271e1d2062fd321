//===- CublasLt.cpp - cuBLASLt, found while the program runs --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CublasLt.h"

#include <cuda_runtime_api.h>

#include <cstdio>
#include <dlfcn.h>

using namespace mla::cuda;

#define MLA_TEXT_OF(x) #x
#define MLA_TEXT(x) MLA_TEXT_OF(x)

static_assert(CUBLAS_VER_MAJOR == CUDART_VERSION / 1000,
              "the libraries of one toolkit have one major version");
const char *const mla::cuda::cublasLtFile =
    "libcublasLt.so." MLA_TEXT(CUBLAS_VER_MAJOR);

namespace {

/// Loaded or not, for good: who has no library when it is first asked for is
/// told the same the next time.
struct Loader {
  CublasLt functions;
  bool good = false;
  char error[512] = {};

  Loader() {
    void *library = dlopen(cublasLtFile, RTLD_NOW | RTLD_LOCAL);
    // What is reported is why the library with the version didn't load.
    if (!library)
      keepError(dlerror());
    // A developer's installation may have the name without a version alone.
    if (!library)
      library = dlopen("libcublasLt.so", RTLD_NOW | RTLD_LOCAL);
    good = library;
#define MLA_CUBLASLT_FIND(name)                                                \
  if (good) {                                                                  \
    functions.name = reinterpret_cast<decltype(&cublasLt##name)>(              \
        dlsym(library, "cublasLt" #name));                                     \
    if (!functions.name) {                                                     \
      keepError(dlerror());                                                    \
      good = false;                                                            \
    }                                                                          \
  }
    MLA_CUBLASLT_FUNCTIONS(MLA_CUBLASLT_FIND)
#undef MLA_CUBLASLT_FIND
  }

  void keepError(const char *text) {
    std::snprintf(error, sizeof(error), "%s", text ? text : "no reason");
  }
};

} // namespace

const CublasLt *mla::cuda::loadCublasLt(const char *&error) {
  static const Loader loader;
  error = loader.error;
  return loader.good ? &loader.functions : nullptr;
}
