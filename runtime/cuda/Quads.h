//===- Quads.h - Four lanes that share a row ------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Of each eight columns of a product's row, lane c of four has two, 2 c and
// 2 c + 1 (PTX ISA, "wgmma.mma_async" and "mma", accumulators).
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_QUADS_H
#define MLA_RUNTIME_CUDA_QUADS_H

#include <cstdint>

namespace mla {
namespace cuda {

/// The largest of four lanes.
__device__ inline float maxOfFour(float value) {
  value = fmaxf(value, __shfl_xor_sync(~0u, value, 1));
  return fmaxf(value, __shfl_xor_sync(~0u, value, 2));
}

__device__ inline float sumOfFour(float value) {
  value += __shfl_xor_sync(~0u, value, 1);
  return value + __shfl_xor_sync(~0u, value, 2);
}

/// Lane j gets the values `j` of all four, in their order.
__device__ inline void transposeFour(uint32_t (&x)[4], int lane) {
  bool upper = lane & 2, odd = lane & 1;
  uint32_t a = __shfl_xor_sync(~0u, upper ? x[0] : x[2], 2);
  uint32_t b = __shfl_xor_sync(~0u, upper ? x[1] : x[3], 2);
  x[0] = upper ? a : x[0], x[1] = upper ? b : x[1];
  x[2] = upper ? x[2] : a, x[3] = upper ? x[3] : b;
  a = __shfl_xor_sync(~0u, odd ? x[0] : x[1], 1);
  b = __shfl_xor_sync(~0u, odd ? x[2] : x[3], 1);
  x[0] = odd ? a : x[0], x[1] = odd ? x[1] : a;
  x[2] = odd ? b : x[2], x[3] = odd ? x[3] : b;
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_QUADS_H
