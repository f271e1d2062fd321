//===- SkinnyUnits.h - The weights that a lane multiplies by few tokens ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// mma.m16n8k16 with outputs as its 16 rows and tokens as its 8 columns. Which
// term of a sum is which k of the product is free, as long as both factors
// agree, and so is which output is which row. Both are chosen such that what a
// lane loads as units of 16 bytes is what it has to hold as fragments (ptx.h),
// with nothing to exchange: of 32 terms, member i of a group has the terms
// [8 * i, 8 * i + 8), of weights and tokens alike.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SKINNYUNITS_H
#define MLA_RUNTIME_CUDA_SKINNYUNITS_H

#include "Launch.h"
#include "ptx.h"

namespace mla {
namespace cuda {

/// A call, in what its kernels need; strides in bytes.
struct Skinny {
  const char *x = nullptr, *w = nullptr;
  char *out = nullptr;
  int64_t xToken, xHead, wHead, wRow, outToken, outHead, outColumn;
  int tokens, inner, outer;
  int blocksOfHead;
  bool toF32; ///< The outputs are f32, not of the factors' type.
};

/// Terms that a warp multiplies at once.
constexpr int stepTerms = 32;
/// Tokens of a product.
constexpr int tileTokens = 8;
/// Units of the weights that a lane has on their way at once.
constexpr int laneUnits = 8;

__device__ inline int groupOfLane() { return threadIdx.x % 32 / 4; }
__device__ inline int memberOfLane() { return threadIdx.x % 4; }

/// Reads 16 bytes, once: nothing gains from keeping them in the L1. Zeros where
/// not `wanted`; without a branch, so that many are on their way at once.
__device__ inline uint4 loadOnceIf(bool wanted, const char *address) {
  uint4 unit = {};
  asm volatile("{\n"
               ".reg .pred wanted;\n"
               "setp.ne.b32 wanted, %5, 0;\n"
               "@wanted ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, "
               "[%4];\n"
               "}"
               : "+r"(unit.x), "+r"(unit.y), "+r"(unit.z), "+r"(unit.w)
               : "l"(address), "r"(static_cast<int>(wanted)));
  return unit;
}

/// Weights whose rows, one an output, lie along the sum: 16 outputs by 128
/// terms. Units 2 * i and 2 * i + 1 are of step i: output `group` of the first
/// and of the last eight.
template <typename T> struct UnitsAlong {
  static constexpr int outputs = 16, steps = laneUnits / 2;
  static constexpr int terms = steps * stepTerms;
  /// Outputs that a thread writes side by side.
  static constexpr int together = 1;
  /// Two, as a product waits for the one before that added to the same sums.
  using Sums = float[2][4];
  uint4 units[laneUnits];

  /// Calls `visit(i, exists, address)` for each unit i; `output` is the first
  /// one of the block, `term` that of the warp.
  template <typename Visitor>
  static __device__ void visit(const Skinny &s, const char *head, int output,
                               int term, Visitor visit) {
    term += 8 * memberOfLane();
    output += groupOfLane();
    const char *first = head + output * s.wRow + term * int64_t{2};
#pragma unroll
    for (int i = 0; i < laneUnits; ++i)
      visit(i,
            term + i / 2 * stepTerms < s.inner && output + i % 2 * 8 < s.outer,
            first + i / 2 * (stepTerms * 2) + (i % 2 ? 8 * s.wRow : 0));
  }

  __device__ void multiply(Sums &sums, const uint4 (&x)[steps]) const {
#pragma unroll
    for (int i = 0; i < steps; ++i) {
      const uint4 &low = units[2 * i], &high = units[2 * i + 1];
      multiplyAdd<T>(sums[0], {low.x, high.x, low.y, high.y}, x[i].x, x[i].y);
      multiplyAdd<T>(sums[1], {low.z, high.z, low.w, high.w}, x[i].z, x[i].w);
    }
  }

  /// Room for the sums of a token: in steps of two tokens the members' banks
  /// don't meet.
  static constexpr int pitch = outputs + 4;

  /// Puts the sums of the tokens from `to` on where all warps' are added up.
  static __device__ void put(float *to, const Sums &sums) {
    float *even = to + 2 * memberOfLane() * pitch + groupOfLane();
    even[0] = sums[0][0] + sums[1][0];
    even[pitch] = sums[0][1] + sums[1][1];
    even[8] = sums[0][2] + sums[1][2];
    even[pitch + 8] = sums[0][3] + sums[1][3];
  }
};

/// Weights whose rows, one a term, lie along the outputs: 64 outputs by 32
/// terms. Unit i is of term i of the member's eight, outputs [8 * group,
/// 8 * group + 8).
template <typename T> struct UnitsAcross {
  static constexpr int outputs = 64, steps = 1, terms = stepTerms;
  static constexpr int together = 4;
  using Sums = float[4][4];
  uint4 units[laneUnits];

  template <typename Visitor>
  static __device__ void visit(const Skinny &s, const char *head, int output,
                               int term, Visitor visit) {
    term += 8 * memberOfLane();
    output += 8 * groupOfLane();
    const char *row = head + term * s.wRow + output * int64_t{2};
    bool exists = output < s.outer && term < s.inner;
#pragma unroll
    for (int i = 0; i < laneUnits; ++i, row += s.wRow)
      visit(i, exists, row);
  }

  static __device__ uint32_t word(const uint4 &unit, int i) {
    return i == 0 ? unit.x : i == 1 ? unit.y : i == 2 ? unit.z : unit.w;
  }

  /// Of two terms' units, outputs 2 * i and 2 * i + 1 become rows `group` and
  /// `group` + 8.
  __device__ void multiply(Sums &sums, const uint4 (&x)[steps]) const {
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        uint32_t words[4];
#pragma unroll
        for (int j = 0; j < 4; ++j)
          words[j] = word(units[4 * half + j], i);
        multiplyAdd<T>(sums[i],
                       {__byte_perm(words[0], words[1], 0x5410),
                        __byte_perm(words[0], words[1], 0x7632),
                        __byte_perm(words[2], words[3], 0x5410),
                        __byte_perm(words[2], words[3], 0x7632)},
                       word(x[0], 2 * half), word(x[0], 2 * half + 1));
      }
  }

  static constexpr int pitch = outputs + 4;

  static __device__ void put(float *to, const Sums &sums) {
    float *even = to + 2 * memberOfLane() * pitch + 8 * groupOfLane();
#pragma unroll
    for (int odd = 0; odd < 2; ++odd)
#pragma unroll
      for (int i = 0; i < 2; ++i)
        *reinterpret_cast<float4 *>(even + odd * pitch + 4 * i) =
            make_float4(sums[2 * i][odd], sums[2 * i][odd + 2],
                        sums[2 * i + 1][odd], sums[2 * i + 1][odd + 2]);
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SKINNYUNITS_H
