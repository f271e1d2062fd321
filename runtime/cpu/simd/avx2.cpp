//===- avx2.cpp - The inner loops for AVX2 -------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With FMA and F16C, which every CPU with AVX2 has but for a few that nobody
// computes on.
//
//===----------------------------------------------------------------------===//

#include "SimdKernels.h"

#include <immintrin.h>

#define MLA_VECTOR_BYTES 32
#include "Vectors.inc"

namespace {

const char levelName[] = "avx2";
// 6 x 2 sums, 2 vectors of b and one of a: 15 of 16 registers.
const int ProductRows = 6, ProductVectors = 2, WideVectors = 8, ThinRows = 8;
const int64_t fewRows = 8;
const int DotRows = 2;

inline Vec widenHalf(const uint16_t *in) {
  return (Vec)_mm256_cvtph_ps(
      _mm_loadu_si128(reinterpret_cast<const __m128i *>(in)));
}

inline void narrowHalf(Vec value, uint16_t *out) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(out),
                   _mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT));
}

inline Bits extendHalves(const uint16_t *in) {
  return (Bits)_mm256_cvtepu16_epi32(
      _mm_loadu_si128(reinterpret_cast<const __m128i *>(in)));
}

inline void truncateHalves(Bits value, uint16_t *out) {
  // Packs within each half of 128 bits; the two results are then joined.
  __m256i packed = _mm256_packus_epi32((__m256i)value, (__m256i)value);
  _mm_storeu_si128(
      reinterpret_cast<__m128i *>(out),
      _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::avx2Kernels() { return &table; }
