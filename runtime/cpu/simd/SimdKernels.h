//===- SimdKernels.h - The inner loops, one table a set of instructions ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// All arithmetic of the CPU backend that takes time is behind this table. Each
// file beside this header fills one from Kernels.inc, compiled for its own
// instructions; Dispatch.cpp picks one when the library is loaded.
//
// Those files may define nothing that the linker could share with code for
// older CPUs: only internal functions, no inline function or template of
// another header. The test CpuLevel.symbols looks at their symbols.
//
// Matrices are row-major f32, leading dimensions in elements. What a kernel
// says of "whole lines" is that it reads, or overwrites, up to the next
// multiple of 16 floats.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_SIMD_SIMDKERNELS_H
#define MLA_RUNTIME_CPU_SIMD_SIMDKERNELS_H

#include <cstdint>

namespace mla {
namespace cpu {

/// Products with rows of one type, wherever they are: b[i] is row i's address.
/// They take a row from memory to registers, and so each row but once or twice:
/// for few rows of a.
struct RowKernels {
  /// Rows of a, each of which widens b's rows in registers for itself, up to
  /// which that is the faster way; more want b in f32.
  int64_t most;
  /// Brings a row of a to the order in which dots() takes it, in place.
  void (*arrange)(float *row, int64_t k);
  /// c[n,m] = b[0:n][0:k] * a[m,k]^T, or += it: scalar products of the rows,
  /// a's arranged for this k, a multiple of 16. Meanwhile brings
  /// next[0:ahead][0:k] to the cache.
  void (*dots)(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
               const void *const *b, const void *const *next, int64_t ahead,
               float *c, int64_t ldc, bool accumulate);
  /// c[m,n] += at[k,m]^T * b[0:k][0:n]. n is a multiple of 16. Meanwhile brings
  /// next[0:ahead][0:n] to the cache.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const float *at,
                   int64_t lda, const void *const *b, const void *const *next,
                   int64_t ahead, float *c, int64_t ldc);
};

struct SimdKernels {
  const char *name;
  /// Rows of a up to which RowKernels are the faster way, if need be with b
  /// brought to f32.
  int64_t fewRows;

  /// Rows of e4m3fn and of 16-bit floats to f32; the latter back to the
  /// nearest, ties to even.
  void (*widenF8)(const uint8_t *in, int64_t count, float *out);
  void (*widenF16)(const uint16_t *in, int64_t count, float *out);
  void (*widenBF16)(const uint16_t *in, int64_t count, float *out);
  void (*narrowF16)(const float *in, int64_t count, uint16_t *out);
  void (*narrowBF16)(const float *in, int64_t count, uint16_t *out);

  /// out[columns, rows] = in[rows, columns]^T.
  void (*transpose)(int64_t rows, int64_t columns, const float *in, int64_t ldi,
                    float *out, int64_t ldo);

  /// c[m,n] = a * b, or += a * b: a[m,k] with adjacent columns, b[k,n]. Whole
  /// lines of b and c.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                   const float *b, int64_t ldb, float *c, int64_t ldc,
                   bool accumulate);
  /// The same with a's transpose at hand: at[k,m].
  void (*multiplyTransposed)(int64_t m, int64_t n, int64_t k, const float *at,
                             int64_t lda, const float *b, int64_t ldb, float *c,
                             int64_t ldc, bool accumulate);
  RowKernels f32, f16, bf16;

  /// One step of the online softmax for `rows` queries in whole lines: logits
  /// [keys, rows] become the weights exp(logit - peak[row]), where the peaks
  /// grow to the largest logit so far; total[row] is brought to the new peak
  /// and gains the weights; factor[row] is what else of the row is to be
  /// brought to the new peak by. A row sees its first visible[row] keys and
  /// gets the weight 0 for others; null: all. True if a factor isn't 1.
  bool (*softmax)(int64_t rows, int64_t keys, float *logits, int64_t ld,
                  const int32_t *visible, float *peak, float *total,
                  float *factor);

  /// row *= factor.
  void (*scale)(float *row, int64_t count, float factor);
  /// row += factor * in.
  void (*add)(float *row, int64_t count, float factor, const float *in);
  /// Whether all of [rows, columns] is neither infinite nor a NaN.
  bool (*finite)(int64_t rows, int64_t columns, const float *in, int64_t ld);
};

/// The last two exist on x86-64 only, and serve CPUs with the instructions.
const SimdKernels *genericKernels();
const SimdKernels *avx2Kernels();
const SimdKernels *avx512Kernels();

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_SIMD_SIMDKERNELS_H
