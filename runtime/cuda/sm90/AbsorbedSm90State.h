//===- AbsorbedSm90State.h - How a tile's state lies in its slot ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The Hopper kernel leaves states in f16, each half of a row's columns times a
// power of two that brings the largest to where f16 has all its bits: half as
// much is written and read again as of f32. A number's error is up to 2^-11 of
// it, an eighth of what rounding an output to bf16 makes.
//
// Numbers lie as a product leaves them in registers, so that neither who writes
// nor who reads them has lanes exchange any. A unit is eight rows and 32
// columns. Lane 4 r + c of a warp has 16 bytes of it: of row r, and of each of
// four eights of columns, the columns 2 c and 2 c + 1.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90STATE_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90STATE_H

#include "AttentionSplit.h"

#include <cuda_fp16.h>

namespace mla {
namespace cuda {
namespace sm90 {

constexpr int unitRows = 8;
constexpr int unitColumns = 32;
constexpr int laneBytes = 16;
constexpr int unitBytes = 32 * laneBytes;

/// What is known of a row of a state.
struct alignas(8) StateRow {
  float lse; ///< log2
  /// What the numbers of one half of the columns are to be multiplied by.
  float scale;
};

/// Where a slot has what, in bytes: all units of the first half of the columns,
/// of the first eight rows, of the next; then those of the second half. The
/// rows follow behind what the widest latent needs.
struct StateSlot {
  int columns;

  __host__ __device__ constexpr int unitsOfHalf() const {
    return columns / 2 / unitColumns;
  }
  /// Of eight rows, or of all, in a half of the columns.
  __host__ __device__ constexpr int eightBytes() const {
    return unitsOfHalf() * unitBytes;
  }
  __host__ __device__ constexpr int halfBytes() const {
    return maxTileRows / unitRows * eightBytes();
  }
  __host__ __device__ static constexpr int placeOfRow(int half, int row) {
    return maxTileRows * maxSlotColumns * static_cast<int>(sizeof(__half)) +
           (half * maxTileRows + row) * static_cast<int>(sizeof(StateRow));
  }
};
static_assert(StateSlot::placeOfRow(2, 0) <= slotFloats * sizeof(float));

/// Slot `i`.
__device__ inline char *slotAt(float *slots, int i) {
  return reinterpret_cast<char *>(slots + i * slotFloats);
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90STATE_H
