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
const int DotColumns = 2;
const int PairRows = 4, PairColumns = 2;

inline Quad sumsOf(Vec a, Vec b, Vec c, Vec d) {
  // Of each half: the sums of a, b, c and d in it.
  __m256 sums = _mm256_hadd_ps(_mm256_hadd_ps((__m256)a, (__m256)b),
                               _mm256_hadd_ps((__m256)c, (__m256)d));
  return (Quad)(_mm256_castps256_ps128(sums) + _mm256_extractf128_ps(sums, 1));
}

inline void keep(Vec &v) { __asm__("" : "+x"(v)); }

inline void interleave(Vec &a, Vec &b) {
  Vec low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  b = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  a = low;
}

inline Vec loadVec(const F16 *in) {
  return (Vec)_mm256_cvtph_ps(
      _mm_loadu_si128(reinterpret_cast<const __m128i *>(in)));
}

inline void storeVec(F16 *out, Vec value) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(out),
                   _mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT));
}

inline Bits loadBits(const F8 *in) {
  return (Bits)_mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i *>(in)));
}

inline Bits loadBits(const BF16 *in) {
  return (Bits)_mm256_cvtepu16_epi32(
      _mm_loadu_si128(reinterpret_cast<const __m128i *>(in)));
}

inline void storeBits(BF16 *out, Bits value) {
  // Packs within each half of 128 bits; the two results are then joined.
  __m256i packed = _mm256_packus_epi32((__m256i)value, (__m256i)value);
  _mm_storeu_si128(
      reinterpret_cast<__m128i *>(out),
      _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::avx2Kernels() { return &table; }
