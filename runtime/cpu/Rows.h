//===- Rows.h - Rows of a strided tensor to and from f32 ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_ROWS_H
#define MLA_RUNTIME_CPU_ROWS_H

#include "View.h"
#include "simd/SimdKernels.h"

namespace mla {
namespace cpu {

/// Reads the row of `view` at address `row` (view.width() elements of f32, f16,
/// bf16 or f8E4M3FN) into contiguous `out`; exact.
void loadRow(const View &view, const char *row, float *out);

/// The kernels that take the rows of `view` as they are: contiguous, of a type
/// that they know, and in whole lines of 16 elements. Null: there are none.
const RowKernels *rowKernels(const View &view);

/// Asks for the row's bytes, which will be read soon.
inline void prefetchRow(const View &view, const char *row) {
  if (view.step() == 1)
    for (int64_t i = 0; i < view.width() * view.elementSize; i += 64)
      __builtin_prefetch(row + i);
}

/// Writes contiguous `in` to the row of `view` at address `row`, rounding to
/// the nearest, ties to even; f8E4M3FN saturates.
void storeRow(const View &view, char *row, const float *in);

/// Rounds `count` values to `dtype` (f32, f16 or bf16) and back.
void roundRow(uint32_t dtype, float *values, int64_t count);

/// Multiplies `count` values by `factor`.
void scaleRow(float *values, int64_t count, float factor);

/// Copies a row of `src` to a row of `dst` of the same width: bit for bit where
/// the types are equal, through f32 otherwise. `buffer` holds a row.
void convertRow(const View &src, const char *from, const View &dst, char *to,
                float *buffer);

/// Sets every byte of a row's elements to 0.
void zeroRow(const View &view, char *row);

/// Copies `count` elements of `size` bytes (1, 2, 4 or 8), bit for bit. Steps
/// are in elements.
void copyElements(const char *from, int64_t fromStep, char *to, int64_t toStep,
                  int64_t count, int64_t size);

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_ROWS_H
