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
const int DotRows = 2;

inline Vec widenHalf(const uint16_t *in) {
  Vec result;
  for (int i = 0; i < lanes; ++i)
    result[i] = mla::cpu::widen(mla::cpu::Half{in[i]});
  return result;
}

inline void narrowHalf(Vec value, uint16_t *out) {
  for (int i = 0; i < lanes; ++i)
    out[i] = mla::cpu::narrow<mla::cpu::Half>(value[i]).bits;
}

inline Bits extendHalves(const uint16_t *in) {
  return Bits{in[0], in[1], in[2], in[3]};
}

inline void truncateHalves(Bits value, uint16_t *out) {
  for (int i = 0; i < lanes; ++i)
    out[i] = static_cast<uint16_t>(value[i]);
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::genericKernels() { return &table; }
