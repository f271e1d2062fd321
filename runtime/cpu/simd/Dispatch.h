//===- Dispatch.h - Which instructions the CPU backend uses ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Picked once, when the library is loaded: the most that the CPU and the
// operating system offer. There is no switch for users; tests link the objects
// and call useSimdLevel().
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_SIMD_DISPATCH_H
#define MLA_RUNTIME_CPU_SIMD_DISPATCH_H

#include "SimdKernels.h"

namespace mla {
namespace cpu {

/// The kernels in use.
const SimdKernels &simd();

/// Uses the kernels called `name` ("generic", "avx2", "avx512") from now on,
/// while no other thread is in the backend. False, with nothing changed, where
/// this machine has none.
bool useSimdLevel(const char *name);

/// `count` in whole lines of 16 floats.
inline int64_t paddedWidth(int64_t count) { return (count + 15) / 16 * 16; }

/// Leading dimension of a matrix in scratch: whole lines, and an odd number of
/// them, because a column at a power of two would fall into few sets of the
/// cache.
inline int64_t leadingDim(int64_t count) {
  return 16 * ((count + 15) / 16 | 1);
}

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_SIMD_DISPATCH_H
