//===- AbsorbedMmaQuery.h - The rows of a tile and their query ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The rows of the query come to shared memory once a tile: as they are, or for
// fp8 keys as f16, in the order in which fp8 keys come out of ldmatrix.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMAQUERY_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMAQUERY_H

#include "AbsorbedMma.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::setRows(const Sequence &seq,
                                                        int64_t numRows,
                                                        int tile) {
  int64_t first = static_cast<int64_t>(tile) * tileRows;
  rowsHere =
      static_cast<int>(min(numRows - first, static_cast<int64_t>(tileRows)));
  int bound = 0;
  bool exists = thread < rowsHere;
  if (thread < tileRows) {
    int64_t row = first + thread;
    int t = firstToken + static_cast<int>(row / p.heads);
    if (exists)
      bound = call.visible(seq, t);
    rows.token[thread] = exists ? t : -1;
    rows.head[thread] = static_cast<int>(row % p.heads);
    rows.bound[thread] = bound;
    rows.factor[thread] = rows.logitScale * rows.latentScale;
    rows.peFactor[thread] = rows.peScale / rows.latentScale;
  }
  // Rows that don't exist see nothing, and don't matter.
  int most = bound, least = exists ? bound : INT32_MAX;
  for (int step = 16; step > 0; step /= 2) {
    most = max(most, __shfl_xor_sync(~0u, most, step));
    least = min(least, __shfl_xor_sync(~0u, least, step));
  }
  // The two warps that have rows tell all; the maxima are not used yet.
  int *exchange = reinterpret_cast<int *>(rows.maximum);
  if (thread < tileRows && lane == 0) {
    exchange[2 * warp] = most;
    exchange[2 * warp + 1] = least;
  }
  __syncthreads();
  mostSeen = max(exchange[0], exchange[2]);
  leastSeen = min(exchange[1], exchange[3]);
  __syncthreads();
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::loadQuery() {
  if constexpr (!IsFp8) {
    copyQuery(Shared::query, Shared::queryPitch, 0, p.latentWidth);
    copyQuery(Shared::queryPe, Shared::pePitch, p.latentWidth, p.peWidth);
  } else {
    convertQuery();
  }
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::copyQuery(int to, int pitch, int begin, int width) {
  int units = width / 8;
  for (int row = warp; row < wantedRows(); row += numWarps) {
    int t = rows.token[row];
    const char *from = p.query.at(max(t, 0), rows.head[row]) + begin * 2;
    for (int unit = lane; unit < units; unit += 32)
      copyAsync(base + to + row * pitch + swizzled(row, unit), from + unit * 16,
                t >= 0);
  }
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::convertQuery() {
  if (p.query.dtype == MLA_DTYPE_F8E4M3FN)
    convertRows<uint2>();
  else
    convertRows<uint4>();
}

template <typename T, Keys KeysAre>
template <typename Eight>
__device__ inline void AbsorbedMma<T, KeysAre>::convertRows() {
  constexpr int rowsAtOnce = 4;
  int eighths = (p.latentWidth + p.peWidth) / 8;
  static_assert(rowsAtOnce * numWarps == 32, "what wantedRows() counts in");
  for (int first = warp; first < wantedRows(); first += rowsAtOnce * numWarps) {
    Eight loaded[rowsAtOnce][mostEighths];
#pragma unroll
    for (int r = 0; r < rowsAtOnce; ++r) {
      int row = first + r * numWarps;
      auto *from = reinterpret_cast<const Eight *>(
          p.query.at(max(rows.token[row], 0), rows.head[row]));
#pragma unroll
      for (int i = 0; i < mostEighths; ++i)
        loaded[r][i] = from[min(lane + i * 32, eighths - 1)];
    }
#pragma unroll
    for (int r = 0; r < rowsAtOnce; ++r)
      convertRow(first + r * numWarps, loaded[r]);
  }
}

template <typename T, Keys KeysAre>
template <typename Eight>
__device__ inline void
AbsorbedMma<T, KeysAre>::convertRow(int row,
                                    const Eight (&loaded)[mostEighths]) {
  bool peIsFp8 = p.pe.dtype == MLA_DTYPE_F8E4M3FN;
  int eighths = (p.latentWidth + p.peWidth) / 8;
  int scaled = (p.latentWidth + (peIsFp8 ? p.peWidth : 0)) / 8;
  bool exists = rows.token[row] >= 0;
  float values[mostEighths][8], largest = 0;
#pragma unroll
  for (int i = 0; i < mostEighths; ++i) {
    widenEight(loaded[i], values[i]);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      values[i][j] = exists ? values[i][j] : 0;
      if (lane + i * 32 < (HasScales ? eighths : scaled))
        largest = fmaxf(largest, fabsf(values[i][j]));
    }
  }
  largest = mostOfWarp(largest);
  // The exponents' bits; infinite and tiny rows stay as they are.
  int exponent = static_cast<int>(__float_as_uint(largest) >> 23) - 127;
  bool usual = exponent > -100 && exponent < 100;
  int shift = usual ? 7 - exponent : 0;
  float up = __uint_as_float(static_cast<uint32_t>(127 + shift) << 23);
#pragma unroll
  for (int i = 0; i < mostEighths; ++i) {
    int eighth = lane + i * 32;
    if (eighth < scaled)
      storeReordered(row, eighth, values[i], up);
    else if (eighth < eighths)
      // Without scales of tensors the power of two is all that the two parts
      // differ by.
      storePe(row, eighth - scaled, values[i], HasScales ? up : 1);
  }
  if (lane == 0) {
    rows.factor[row] *=
        __uint_as_float(static_cast<uint32_t>(127 - shift) << 23);
    if (!peIsFp8)
      rows.peFactor[row] *= up;
  }
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::widenEight(uint2 bytes, float (&values)[8]) const {
#pragma unroll
  for (int j = 0; j < 8; ++j)
    values[j] = widen(Fp8{static_cast<__nv_fp8_storage_t>(
        (j < 4 ? bytes.x : bytes.y) >> (j % 4 * 8))});
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::widenEight(uint4 words, float (&values)[8]) const {
  const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    float2 pair = unpackHalves(pairs[j]);
    bool isBF16 = p.query.dtype == MLA_DTYPE_BF16;
    values[2 * j] = isBF16 ? __uint_as_float(pairs[j] << 16) : pair.x;
    values[2 * j + 1] =
        isBF16 ? __uint_as_float(pairs[j] & 0xffff0000u) : pair.y;
  }
}

template <typename T, Keys KeysAre>
__device__ inline void AbsorbedMma<T, KeysAre>::storeReordered(
    int row, int eighth, const float (&values)[8], float factor) {
  bool isPe = eighth * 8 >= p.latentWidth;
  int own = isPe ? eighth - p.latentWidth / 8 : eighth;
  char *to = shared + (isPe ? Shared::queryPe + row * Shared::pePitch
                            : Shared::query + row * Shared::queryPitch);
  uint32_t words[4];
#pragma unroll
  for (int j = 0; j < 4; ++j)
    words[j] =
        packPair<__half>(values[2 * j] * factor, values[2 * j + 1] * factor);
  // The step's lower unit has its even words, the upper one the odd.
  int unit = own / 2 * 2, place = own % 2 * 8;
  *reinterpret_cast<uint2 *>(to + swizzled(row, unit) + place) =
      make_uint2(words[0], words[2]);
  *reinterpret_cast<uint2 *>(to + swizzled(row, unit + 1) + place) =
      make_uint2(words[1], words[3]);
}

template <typename T, Keys KeysAre>
__device__ inline void
AbsorbedMma<T, KeysAre>::storePe(int row, int eighth, const float (&values)[8],
                                 float factor) {
  uint32_t words[4];
#pragma unroll
  for (int j = 0; j < 4; ++j)
    words[j] = p.pe.dtype == MLA_DTYPE_BF16
                   ? packPair<__nv_bfloat16>(values[2 * j] * factor,
                                             values[2 * j + 1] * factor)
                   : packPair<__half>(values[2 * j] * factor,
                                      values[2 * j + 1] * factor);
  *reinterpret_cast<uint4 *>(shared + Shared::queryPe + row * Shared::pePitch +
                             swizzled(row, eighth)) =
      make_uint4(words[0], words[1], words[2], words[3]);
}

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMAQUERY_H
