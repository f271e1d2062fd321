//===- Gemm.h - Small f32 matrix products ---------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Row-major matrices, leading dimensions in elements. The tiles live in
// registers of 128 bits, which every supported CPU has; nothing depends on the
// compiler's flags.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_GEMM_H
#define MLA_RUNTIME_CPU_GEMM_H

#include <cstdint>

namespace mla {
namespace cpu {

/// c[m,n] += a[m,k] * b[k,n].
void gemmNN(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
            const float *b, int64_t ldb, float *c, int64_t ldc);

/// c[m,n] = a[m,k] * b[n,k]^T.
void gemmNT(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
            const float *b, int64_t ldb, float *c, int64_t ldc);

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_GEMM_H
