//===- Packets.h - Eight elements a thread, in the peers' kernels -*- C++ -*-=//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A packet is eight elements of 16 bits, one access of 16 bytes. For nvcc.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_PACKETS_H
#define MLA_BENCH_PEERS_PACKETS_H

#include "AppendCall.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <algorithm>

namespace mla::bench::peers {

constexpr int packetColumns = 8;
constexpr int blockThreads = 256;

/// How the threads of a kernel are spread over rows: neighbours share a row.
struct RowGrid {
  int64_t rows;
  int width;    ///< Threads of a row, which take its units in turns.
  int perBlock; ///< Rows.
  unsigned blocks;

  /// `width` becomes a multiple of `multiple`.
  RowGrid(int64_t rows, int units, int multiple = 1) : rows(rows) {
    int rounded = (units + multiple - 1) / multiple * multiple;
    width = std::min(std::max(rounded, 1), blockThreads);
    perBlock = blockThreads / width;
    blocks = static_cast<unsigned>((rows + perBlock - 1) / perBlock);
  }

  /// The calling thread's row and first unit, in block `block` of the grid;
  /// false for a thread without a row.
  __device__ bool find(unsigned block, int64_t &row, int &unit) const {
    int inBlock = static_cast<int>(threadIdx.x) / width;
    unit = static_cast<int>(threadIdx.x) - inBlock * width;
    row = static_cast<int64_t>(block) * perBlock + inBlock;
    return inBlock < perBlock && row < rows;
  }
};

/// Loads kernels now, not at their first launch, which may be captured.
template <typename... Kernels> cudaError_t loadKernels(Kernels... kernels) {
  cudaFuncAttributes attributes;
  cudaError_t error = cudaSuccess;
  ((error = error ? error : cudaFuncGetAttributes(&attributes, kernels)), ...);
  return error;
}

__device__ inline uint4 loadPacket(const char *row, int packet) {
  return reinterpret_cast<const uint4 *>(row)[packet];
}
__device__ inline void storePacket(char *row, int packet, const uint4 &bits) {
  reinterpret_cast<uint4 *>(row)[packet] = bits;
}

template <typename T> struct PairOf;
template <> struct PairOf<__half> {
  using Type = __half2;
  static __device__ float2 widen(Type pair) { return __half22float2(pair); }
  static __device__ Type narrow(float2 pair) { return __float22half2_rn(pair); }
};
template <> struct PairOf<__nv_bfloat16> {
  using Type = __nv_bfloat162;
  static __device__ float2 widen(Type pair) { return __bfloat1622float2(pair); }
  static __device__ Type narrow(float2 pair) {
    return __float22bfloat162_rn(pair);
  }
};

template <typename T>
__device__ void widen(const uint4 &bits, float (&values)[packetColumns]) {
  const auto *pairs = reinterpret_cast<const typename PairOf<T>::Type *>(&bits);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float2 pair = PairOf<T>::widen(pairs[i]);
    values[2 * i] = pair.x;
    values[2 * i + 1] = pair.y;
  }
}

/// Rounded to the nearest, ties to even.
template <typename T>
__device__ uint4 narrow(const float (&values)[packetColumns]) {
  uint4 bits;
  auto *pairs = reinterpret_cast<typename PairOf<T>::Type *>(&bits);
#pragma unroll
  for (int i = 0; i < 4; ++i)
    pairs[i] = PairOf<T>::narrow(make_float2(values[2 * i], values[2 * i + 1]));
  return bits;
}

/// Writes a packet as fp8 e4m3, each value times `factor`, saturating.
__device__ inline void storeFp8(char *row, int packet,
                                const float (&values)[packetColumns],
                                float factor) {
  uint32_t words[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const float *four = values + 4 * i;
    uint32_t low = __nv_cvt_float2_to_fp8x2(
        make_float2(four[0] * factor, four[1] * factor), __NV_SATFINITE,
        __NV_E4M3);
    uint32_t high = __nv_cvt_float2_to_fp8x2(
        make_float2(four[2] * factor, four[3] * factor), __NV_SATFINITE,
        __NV_E4M3);
    words[i] = low | high << 16;
  }
  reinterpret_cast<uint2 *>(row)[packet] = make_uint2(words[0], words[1]);
}

/// The same of a packet of 16-bit elements.
template <typename T>
__device__ void quantizePacket(char *row, int packet, const uint4 &bits,
                               float factor) {
  float values[packetColumns];
  widen<T>(bits, values);
  storeFp8(row, packet, values, factor);
}

/// Units that a thread rotates at once, of a row of `width` columns.
__host__ __device__ constexpr int turnsOf(int64_t style, int width) {
  return width / (style == MLA_ROPE_HALF ? 2 * packetColumns : packetColumns);
}

/// One such unit, rotated: four pairs of neighbours, which are one packet, or
/// the eight pairs of one packet in each half.
template <typename T, int style> struct Turn {
  static constexpr int packets = style == MLA_ROPE_HALF ? 2 : 1;
  static constexpr int pairs = packets * packetColumns / 2;
  int at[packets]; ///< Of the row's packets.
  float values[packets][packetColumns];

  /// `table` is [cosines | sines] of width / 2 each.
  __device__ Turn(const char *row, const char *table, int turn, int width) {
    at[0] = turn;
    if (packets == 2)
      at[packets - 1] = turn + width / (2 * packetColumns);
    uint4 bits[packets];
#pragma unroll
    for (int i = 0; i < packets; ++i)
      bits[i] = loadPacket(row, at[i]);
    float cosine[pairs], sine[pairs];
    const float *angles = reinterpret_cast<const float *>(table) + turn * pairs;
    load(angles, cosine);
    load(angles + width / 2, sine);
#pragma unroll
    for (int i = 0; i < packets; ++i)
      widen<T>(bits[i], values[i]);
#pragma unroll
    for (int i = 0; i < pairs; ++i) {
      float &a = packets == 2 ? values[0][i] : values[0][2 * i];
      float &b = packets == 2 ? values[packets - 1][i] : values[0][2 * i + 1];
      float rotated = a * cosine[i] - b * sine[i];
      b = b * cosine[i] + a * sine[i];
      a = rotated;
    }
  }

  /// Rounds the values to the type of their inputs.
  __device__ void round() {
#pragma unroll
    for (int i = 0; i < packets; ++i)
      widen<T>(narrow<T>(values[i]), values[i]);
  }
  __device__ void store(char *row) const {
#pragma unroll
    for (int i = 0; i < packets; ++i)
      storePacket(row, at[i], narrow<T>(values[i]));
  }
  __device__ void quantize(char *row, float factor) const {
#pragma unroll
    for (int i = 0; i < packets; ++i)
      storeFp8(row, at[i], values[i], factor);
  }

private:
  static __device__ void load(const float *from, float (&to)[pairs]) {
#pragma unroll
    for (int i = 0; i < pairs / 4; ++i) {
      float4 four = reinterpret_cast<const float4 *>(from)[i];
      to[4 * i] = four.x;
      to[4 * i + 1] = four.y;
      to[4 * i + 2] = four.z;
      to[4 * i + 3] = four.w;
    }
  }
};

} // namespace mla::bench::peers

#endif // MLA_BENCH_PEERS_PACKETS_H
