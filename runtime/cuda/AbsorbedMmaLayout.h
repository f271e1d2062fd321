//===- AbsorbedMmaLayout.h - Absorbed attention's shared memory -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMALAYOUT_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMALAYOUT_H

#include "AbsorbedCall.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

constexpr int numThreads = 256;
constexpr int numWarps = numThreads / 32;
constexpr int tileRows = maxTileRows;
constexpr int maxLatent = maxSlotColumns;
constexpr int maxPe = 64;       ///< Columns of the pe part.
constexpr int scaleBlock = 128; ///< Columns that share a scale.
constexpr int maxScales = maxLatent / scaleBlock;
constexpr int stepColumns = 16; ///< Of one matrix product.
/// Sequences that are looked up once: all, where latency counts.
constexpr int nearSeqs = 24;

/// What keys are: of the query's type, fp8 with a scale a tensor, or with one a
/// row and block of columns.
enum class Keys { Own, Fp8, Fp8Scaled };

/// What is kept of each row of the tile.
struct Rows {
  int token[tileRows]; ///< -1: none.
  int head[tileRows];
  int bound[tileRows];      ///< Of the positions that it sees.
  float factor[tileRows];   ///< Of S, to give logits.
  float peFactor[tileRows]; ///< Of the pe part's S, to give the latent's units.
  float maximum[2][tileRows]; ///< Of each half of a block's keys.
  float rescale[tileRows];    ///< Of O, by the next product; at the end the
                              ///< maximum that the row's weights have.
  float sum[2][tileRows];     ///< At the end: of each half of the keys.
  bool keySeen[2][blockKeys]; ///< With indices, of each stage.
  // Of the call and of the CTA's part; seldom needed, so not in registers.
  float logitScale, latentScale, peScale;
  int lanes;
  Cursor end;
  Sequence near[nearSeqs]; ///< As they were read.
};

/// The pieces of shared memory: the query, two stages of keys, the weights,
/// Rows, and for fp8 what each warp multiplies its weights by. Rows are split
/// into units of 16 bytes, of which unit u of row r lies at u ^ (r % 8): eight
/// rows' units u are in different banks.
template <bool IsFp8> struct Layout {
  static constexpr int latentPitch = maxLatent * (IsFp8 ? 1 : 2);
  static constexpr int queryPitch = maxLatent * 2;
  static constexpr int pePitch = maxPe * 2;

  static constexpr int query = 0;
  static constexpr int queryPe = query + tileRows * queryPitch;
  static constexpr int stages = queryPe + tileRows * pePitch;
  static constexpr int stagePe = blockKeys * latentPitch;
  static constexpr int stageScales = stagePe + blockKeys * pePitch;
  static constexpr int stageBytes =
      stageScales + (IsFp8 ? maxScales * blockKeys * 4 : 0);
  static constexpr int weights = stages + 2 * stageBytes;
  static constexpr int rows = weights + tileRows * blockKeys * 2;
  static constexpr int keyScales = rows + (sizeof(Rows) + 15) / 16 * 16;
  static constexpr int bytes =
      keyScales + (IsFp8 ? numWarps * blockKeys * 2 : 0);
  static_assert(bytes <= 227 * 1024, "what Hopper has for a CTA");
};

/// Where a unit lies in its row, in bytes.
__device__ inline int swizzled(int row, int unit) {
  return (unit ^ (row & 7)) * 16;
}

/// Four fp8 to two pairs of f16.
__device__ inline void widenFp8(uint32_t bytes, uint32_t &low, uint32_t &high) {
#if __CUDA_ARCH__ >= 890
  asm("{\n"
      ".reg .b16 l, h;\n"
      "mov.b32 {l, h}, %2;\n"
      "cvt.rn.f16x2.e4m3x2 %0, l;\n"
      "cvt.rn.f16x2.e4m3x2 %1, h;\n"
      "}"
      : "=r"(low), "=r"(high)
      : "r"(bytes));
#else
  __half2_raw a = __nv_cvt_fp8x2_to_halfraw2(
      static_cast<__nv_fp8x2_storage_t>(bytes & 0xffff), __NV_E4M3);
  __half2_raw b = __nv_cvt_fp8x2_to_halfraw2(
      static_cast<__nv_fp8x2_storage_t>(bytes >> 16), __NV_E4M3);
  low = a.x | static_cast<uint32_t>(a.y) << 16;
  high = b.x | static_cast<uint32_t>(b.y) << 16;
#endif
}

/// 1 / x, to one unit in the last place; exact for powers of two.
__device__ inline float reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// The largest value that a lane of the warp has.
__device__ inline float mostOfWarp(float value) {
  for (int step = 16; step > 0; step /= 2)
    value = fmaxf(value, __shfl_xor_sync(~0u, value, step));
  return value;
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMALAYOUT_H
