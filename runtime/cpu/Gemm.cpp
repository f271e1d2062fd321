//===- Gemm.cpp - Small f32 matrix products -------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Gemm.h"

#include <algorithm>
#include <cstring>

using namespace mla;

namespace {

// Four floats at any address. The compiler maps them to SSE, NEON, ... itself.
typedef float Vec __attribute__((vector_size(16), aligned(4), may_alias));

Vec loadVec(const float *p) { return *reinterpret_cast<const Vec *>(p); }
void storeVec(float *p, Vec v) { *reinterpret_cast<Vec *>(p) = v; }
float sum(Vec v) { return (v[0] + v[1]) + (v[2] + v[3]); }

/// `Rows` rows and 8 columns of c += a * b.
template <int Rows>
void tileNN(int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb,
            float *c, int64_t ldc) {
  Vec acc[Rows][2];
  for (int r = 0; r < Rows; ++r) {
    acc[r][0] = loadVec(c + r * ldc);
    acc[r][1] = loadVec(c + r * ldc + 4);
  }
  for (int64_t i = 0; i < k; ++i) {
    Vec b0 = loadVec(b + i * ldb);
    Vec b1 = loadVec(b + i * ldb + 4);
    for (int r = 0; r < Rows; ++r) {
      float x = a[r * lda + i];
      Vec ax = {x, x, x, x};
      acc[r][0] += ax * b0;
      acc[r][1] += ax * b1;
    }
  }
  for (int r = 0; r < Rows; ++r) {
    storeVec(c + r * ldc, acc[r][0]);
    storeVec(c + r * ldc + 4, acc[r][1]);
  }
}

/// `Rows` rows and fewer than 8 columns of c += a * b.
template <int Rows>
void edgeNN(int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
            int64_t ldb, float *c, int64_t ldc) {
  for (int r = 0; r < Rows; ++r)
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < n; ++j)
        c[r * ldc + j] += a[r * lda + i] * b[i * ldb + j];
}

template <int Rows>
void stripNN(int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
             int64_t ldb, float *c, int64_t ldc) {
  int64_t j = 0;
  for (; j + 8 <= n; j += 8)
    tileNN<Rows>(k, a, lda, b + j, ldb, c + j, ldc);
  if (j < n)
    edgeNN<Rows>(n - j, k, a, lda, b + j, ldb, c + j, ldc);
}

/// `Rows` x `Columns` elements of c = a * b^T.
template <int Rows, int Columns>
void tileNT(int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb,
            float *c, int64_t ldc) {
  Vec acc[Rows][Columns] = {};
  int64_t i = 0;
  for (; i + 4 <= k; i += 4) {
    Vec bs[Columns];
    for (int j = 0; j < Columns; ++j)
      bs[j] = loadVec(b + j * ldb + i);
    for (int r = 0; r < Rows; ++r) {
      Vec ar = loadVec(a + r * lda + i);
      for (int j = 0; j < Columns; ++j)
        acc[r][j] += ar * bs[j];
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int j = 0; j < Columns; ++j) {
      float value = sum(acc[r][j]);
      for (int64_t rest = i; rest < k; ++rest)
        value += a[r * lda + rest] * b[j * ldb + rest];
      c[r * ldc + j] = value;
    }
}

template <int Rows>
void stripNT(int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
             int64_t ldb, float *c, int64_t ldc) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4)
    tileNT<Rows, 4>(k, a, lda, b + j * ldb, ldb, c + j, ldc);
  for (; j < n; ++j)
    tileNT<Rows, 1>(k, a, lda, b + j * ldb, ldb, c + j, ldc);
}

} // namespace

void cpu::gemmNN(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                 const float *b, int64_t ldb, float *c, int64_t ldc) {
  // Blocks of k keep the part of b that all rows use in the cache.
  const int64_t depth = 128;
  for (int64_t k0 = 0; k0 < k; k0 += depth) {
    int64_t kb = std::min(depth, k - k0);
    const float *bk = b + k0 * ldb;
    int64_t i = 0;
    for (; i + 4 <= m; i += 4)
      stripNN<4>(n, kb, a + i * lda + k0, lda, bk, ldb, c + i * ldc, ldc);
    for (; i < m; ++i)
      stripNN<1>(n, kb, a + i * lda + k0, lda, bk, ldb, c + i * ldc, ldc);
  }
}

void cpu::gemmNT(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                 const float *b, int64_t ldb, float *c, int64_t ldc) {
  // Blocks of n, likewise.
  const int64_t columns = 32;
  for (int64_t n0 = 0; n0 < n; n0 += columns) {
    int64_t nb = std::min(columns, n - n0);
    const float *bn = b + n0 * ldb;
    int64_t i = 0;
    for (; i + 2 <= m; i += 2)
      stripNT<2>(nb, k, a + i * lda, lda, bn, ldb, c + i * ldc + n0, ldc);
    for (; i < m; ++i)
      stripNT<1>(nb, k, a + i * lda, lda, bn, ldb, c + i * ldc + n0, ldc);
  }
}
