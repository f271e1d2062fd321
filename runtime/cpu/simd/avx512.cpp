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
const int DotColumns = 4;
const int PairRows = 8, PairColumns = 2;

inline Quad sumsOf(Vec a, Vec b, Vec c, Vec d) {
  __m512 ab = _mm512_unpacklo_ps((__m512)a, (__m512)b) +
              _mm512_unpackhi_ps((__m512)a, (__m512)b);
  __m512 cd = _mm512_unpacklo_ps((__m512)c, (__m512)d) +
              _mm512_unpackhi_ps((__m512)c, (__m512)d);
  // Of each quarter: the sums of a, b, c and d in it.
  __m512 sums = (__m512)_mm512_unpacklo_pd((__m512d)ab, (__m512d)cd) +
                (__m512)_mm512_unpackhi_pd((__m512d)ab, (__m512d)cd);
  __m256 half = _mm512_castps512_ps256(sums) + _mm512_extractf32x8_ps(sums, 1);
  return (Quad)(_mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1));
}

inline void keep(Vec &v) { __asm__("" : "+v"(v)); }

inline void interleave(Vec &a, Vec &b) {
  Vec low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                    21, 6, 22, 7, 23);
  b = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                              29, 14, 30, 15, 31);
  a = low;
}

inline Vec loadVec(const F16 *in) {
  return (Vec)_mm512_cvtph_ps(
      _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in)));
}

inline void storeVec(F16 *out, Vec value) {
  _mm256_storeu_si256(
      reinterpret_cast<__m256i *>(out),
      _mm512_cvtps_ph((__m512)value, _MM_FROUND_TO_NEAREST_INT));
}

inline Bits loadBits(const F8 *in) {
  return (Bits)_mm512_cvtepu8_epi32(
      _mm_loadu_si128(reinterpret_cast<const __m128i *>(in)));
}

inline Bits loadBits(const BF16 *in) {
  return (Bits)_mm512_cvtepu16_epi32(
      _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in)));
}

inline void storeBits(BF16 *out, Bits value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(out),
                      _mm512_cvtepi32_epi16((__m512i)value));
}

} // namespace

#include "Kernels.inc"

const mla::cpu::SimdKernels *mla::cpu::avx512Kernels() { return &table; }
