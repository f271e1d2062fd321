//===- generic.cpp - The inner loops for any CPU --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Vectors of 128 bits, which every supported CPU has; nothing depends on the
// compiler's flags.
//
//===----------------------------------------------------------------------===//

#include "SimdKernels.h"

#include "../Convert.h"

#define MLA_VECTOR_BYTES 16
#include "Vectors.inc"

namespace {

const char levelName[] = "generic";
// 4 x 2 sums, 2 vectors of b and one of a, and one for a product: 12 of 16
// registers.
const int ProductRows = 4, ProductVectors = 2, WideVectors = 4, ThinRows = 4;
const int64_t fewRows = 1024;
const int DotColumns = 2;
const int PairRows = 4, PairColumns = 2;

inline Quad sumsOf(Vec a, Vec b, Vec c, Vec d) {
  Vec ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) +
           __builtin_shufflevector(a, b, 2, 6, 3, 7);
  Vec cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) +
           __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
         __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

inline void keep(Vec &) {}

inline void interleave(Vec &a, Vec &b) {
  Vec low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  b = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  a = low;
}

inline Vec loadVec(const F16 *in) {
  Vec result;
  for (int i = 0; i < lanes; ++i)
    result[i] = mla::cpu::widen(mla::cpu::Half{in[i].bits});
  return result;
}

inline void storeVec(F16 *out, Vec value) {
  for (int i = 0; i < lanes; ++i)
    out[i].bits = mla::cpu::narrow<mla::cpu::Half>(value[i]).bits;
}

inline Bits loadBits(const F8 *in) {
  return Bits{in[0].bits, in[1].bits, in[2].bits, in[3].bits};
}

inline Bits loadBits(const BF16 *in) {
  return Bits{in[0].bits, in[1].bits, in[2].bits, in[3].bits};
}

inline void storeBits(BF16 *out, Bits value) {
  for (int i = 0; i < lanes; ++i)
    out[i].bits = static_cast<uint16_t>(value[i]);
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::genericKernels() { return &table; }
