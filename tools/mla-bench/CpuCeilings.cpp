//===- CpuCeilings.cpp - Loops that reach a CPU's limits ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A multiply-add takes about four cycles and two start in each: eight chains
// that don't wait for each other are enough, and these have more. The factors
// keep the sums near 1, far from numbers that are slow.
//
//===----------------------------------------------------------------------===//

#include "CpuCeilings.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace mla::bench;

namespace {

// Sums in an array are in registers only where no index is left at run time.
#define MLA_UNROLL _Pragma("GCC unroll 32")

// What the compiler doesn't know it can't compute ahead.
volatile float factor = 0.999f, summand = 0.001f;

typedef float Float4 __attribute__((vector_size(16)));

float readGeneric(const void *from, uint64_t bytes) {
  const auto *data = static_cast<const Float4 *>(from);
  Float4 sums[8] = {};
  for (uint64_t i = 0; i < bytes / sizeof(Float4); i += 8)
    for (int j = 0; j < 8; ++j)
      sums[j] += data[i + j];
  Float4 sum = {};
  for (Float4 s : sums)
    sum += s;
  return sum[0] + sum[1] + sum[2] + sum[3];
}

float multiplyAddGeneric(int64_t rounds) {
  Float4 a = Float4{} + factor, b = Float4{} + summand, sums[12];
  for (Float4 &sum : sums)
    sum = b;
  for (int64_t i = 0; i < rounds; ++i)
    MLA_UNROLL
  for (Float4 &sum : sums)
    sum = sum * a + b;
  Float4 sum = {};
  for (Float4 s : sums)
    sum += s;
  return sum[0];
}

#if defined(__x86_64__)
#define MLA_TARGET(isa) __attribute__((target(isa)))

MLA_TARGET("avx2") float readAVX2(const void *from, uint64_t bytes) {
  const auto *data = static_cast<const float *>(from);
  __m256 sums[8];
  for (__m256 &sum : sums)
    sum = _mm256_setzero_ps();
  for (uint64_t i = 0; i < bytes / 4; i += 64)
    for (int j = 0; j < 8; ++j)
      sums[j] = _mm256_add_ps(sums[j], _mm256_load_ps(data + i + 8 * j));
  for (int j = 1; j < 8; ++j)
    sums[0] = _mm256_add_ps(sums[0], sums[j]);
  return _mm256_cvtss_f32(sums[0]);
}

MLA_TARGET("avx2,fma") float multiplyAddAVX2(int64_t rounds) {
  __m256 a = _mm256_set1_ps(factor), b = _mm256_set1_ps(summand), sums[12];
  for (__m256 &sum : sums)
    sum = b;
  for (int64_t i = 0; i < rounds; ++i)
    MLA_UNROLL
  for (__m256 &sum : sums)
    sum = _mm256_fmadd_ps(sum, a, b);
  for (int j = 1; j < 12; ++j)
    sums[0] = _mm256_add_ps(sums[0], sums[j]);
  return _mm256_cvtss_f32(sums[0]);
}

// GCC 12 warns of its own header in _mm512_reduce_add_ps.
MLA_TARGET("avx512f") float total(__m512 sum) {
  float values[16], result = 0;
  _mm512_storeu_ps(values, sum);
  for (float value : values)
    result += value;
  return result;
}

MLA_TARGET("avx512f") float readAVX512(const void *from, uint64_t bytes) {
  const auto *data = static_cast<const float *>(from);
  __m512 sums[8];
  for (__m512 &sum : sums)
    sum = _mm512_setzero_ps();
  for (uint64_t i = 0; i < bytes / 4; i += 128)
    for (int j = 0; j < 8; ++j)
      sums[j] = _mm512_add_ps(sums[j], _mm512_load_ps(data + i + 16 * j));
  for (int j = 1; j < 8; ++j)
    sums[0] = _mm512_add_ps(sums[0], sums[j]);
  return total(sums[0]);
}

MLA_TARGET("avx512f") float multiplyAddAVX512(int64_t rounds) {
  __m512 a = _mm512_set1_ps(factor), b = _mm512_set1_ps(summand), sums[20];
  for (__m512 &sum : sums)
    sum = b;
  for (int64_t i = 0; i < rounds; ++i)
    MLA_UNROLL
  for (__m512 &sum : sums)
    sum = _mm512_fmadd_ps(sum, a, b);
  for (int j = 1; j < 20; ++j)
    sums[0] = _mm512_add_ps(sums[0], sums[j]);
  return total(sums[0]);
}

MLA_TARGET("avx512f,avx512bf16") float dotAVX512(int64_t rounds) {
  // Products of zeros and ones: the sums stay 0 for ever.
  auto ones = (__m512bh)_mm512_set1_epi16(0x3f80);
  auto zeros = (__m512bh)_mm512_set1_epi32(factor > 2 ? 1 : 0);
  __m512 sums[20];
  for (__m512 &sum : sums)
    sum = _mm512_set1_ps(summand);
  for (int64_t i = 0; i < rounds; ++i)
    MLA_UNROLL
  for (__m512 &sum : sums)
    sum = _mm512_dpbf16_ps(sum, ones, zeros);
  for (int j = 1; j < 20; ++j)
    sums[0] = _mm512_add_ps(sums[0], sums[j]);
  return total(sums[0]);
}
#undef MLA_TARGET
#endif

} // namespace

CpuLoops mla::bench::bestCpuLoops() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) {
    bool bf16 = __builtin_cpu_supports("avx512bf16");
    return {bf16 ? "AVX-512 with bf16" : "AVX-512",
            readAVX512,
            multiplyAddAVX512,
            20 * 16 * 2,
            bf16 ? dotAVX512 : nullptr,
            20 * 32 * 2};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"AVX2", readAVX2, multiplyAddAVX2, 12 * 8 * 2, nullptr, 0};
#endif
  return {"128 bits", readGeneric, multiplyAddGeneric, 12 * 4 * 2, nullptr, 0};
}
