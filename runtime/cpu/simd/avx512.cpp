//===- avx512.cpp - The inner loops for AVX-512 ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Foundation, BW, DQ and VL. The bf16 extension isn't used: docs/numerics.md
// says what its dot product was measured to do.
//
//===----------------------------------------------------------------------===//

#include "SimdKernels.h"

#include <immintrin.h>

#define MLA_VECTOR_BYTES 64
#include "Vectors.inc"

namespace {

const char levelName[] = "avx512";
// 8 x 3 sums, 3 vectors of b and one of a: 28 of 32 registers.
const int ProductRows = 8, ProductVectors = 3, WideVectors = 8, ThinRows = 16;
const int64_t fewRows = 24;
const int DotRows = 4;

// Masked with all lanes: of the plain forms GCC 12 thinks that they read
// something uninitialized.
const __mmask16 all = 0xffff;

inline Vec widenHalf(const uint16_t *in) {
  return (Vec)_mm512_maskz_cvtph_ps(
      all, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in)));
}

inline void narrowHalf(Vec value, uint16_t *out) {
  _mm256_storeu_si256(
      reinterpret_cast<__m256i *>(out),
      _mm512_maskz_cvtps_ph(all, (__m512)value, _MM_FROUND_TO_NEAREST_INT));
}

inline Bits extendHalves(const uint16_t *in) {
  return (Bits)_mm512_maskz_cvtepu16_epi32(
      all, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in)));
}

inline void truncateHalves(Bits value, uint16_t *out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(out),
                      _mm512_maskz_cvtepi32_epi16(all, (__m512i)value));
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::avx512Kernels() { return &table; }
