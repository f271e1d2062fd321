//===- CublasLt.h - cuBLASLt, found while the program runs ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_CUBLASLT_H
#define MLA_RUNTIME_CUDA_CUBLASLT_H

#include <cublasLt.h>

namespace mla {
namespace cuda {

/// What is called of cuBLASLt: X(name without its prefix).
#define MLA_CUBLASLT_FUNCTIONS(X)                                              \
  X(Create)                                                                    \
  X(Destroy)                                                                   \
  X(GetStatusString)                                                           \
  X(Matmul)                                                                    \
  X(MatmulAlgoGetHeuristic)                                                    \
  X(MatmulDescCreate)                                                          \
  X(MatmulDescDestroy)                                                         \
  X(MatmulDescSetAttribute)                                                    \
  X(MatmulPreferenceCreate)                                                    \
  X(MatmulPreferenceDestroy)                                                   \
  X(MatmulPreferenceSetAttribute)                                              \
  X(MatrixLayoutCreate)                                                        \
  X(MatrixLayoutDestroy)                                                       \
  X(MatrixLayoutSetAttribute)

/// The library's functions, by their types in its header.
struct CublasLt {
#define MLA_CUBLASLT_MEMBER(name) decltype(&cublasLt##name) name = nullptr;
  MLA_CUBLASLT_FUNCTIONS(MLA_CUBLASLT_MEMBER)
#undef MLA_CUBLASLT_MEMBER
};

/// The file that is looked for: of the major version that this is built with.
extern const char *const cublasLtFile;

/// Loads the library, once a process; it stays loaded. Null with the loader's
/// sentence in `error` where that can't be done.
const CublasLt *loadCublasLt(const char *&error);

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_CUBLASLT_H
