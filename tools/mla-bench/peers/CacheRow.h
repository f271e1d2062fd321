//===- CacheRow.h - A row of the paged cache, in the peers' kernels -*- C++
//-*-//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For nvcc.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_CACHEROW_H
#define MLA_BENCH_PEERS_CACHEROW_H

#include "Packets.h"

namespace mla::bench::peers {

/// Threads that hold the 128 columns of one block scale. What writes latents
/// has rows of a multiple of so many threads (RowGrid).
constexpr int scaleThreads = 128 / packetColumns;

inline int threadMultiple(const AppendCall &call) {
  return call.format == RowFormat::Fp8Blocks ? scaleThreads : 1;
}

/// The least power of two, at least 2^-126, that leaves 128 columns within
/// +-448; infinities and NaNs don't count, and 0 gets 1. Each of 16 aligned
/// lanes has a packet of them.
__device__ inline float blockScale(const float (&values)[packetColumns]) {
  float most = 0;
#pragma unroll
  for (float value : values)
    if (isfinite(value))
      most = fmaxf(most, fabsf(value));
  unsigned lanes = 0xffffu << (threadIdx.x % 32 / scaleThreads * scaleThreads);
#pragma unroll
  for (int distance = scaleThreads / 2; distance > 0; distance /= 2)
    most = fmaxf(most, __shfl_xor_sync(lanes, most, distance));
  if (most == 0)
    return 1;
  // most = m * 2^e with m in [1, 2), to be at most 1.75 * 2^8 after scaling.
  unsigned bits = __float_as_uint(most);
  int power = static_cast<int>(bits >> 23) - 127 - 8;
  if ((bits & 0x7fffffu) > 0x600000u)
    ++power;
  return __uint_as_float(static_cast<unsigned>(max(power, -126) + 127) << 23);
}

/// Where a token's row of the cache lies.
struct CacheRow {
  int64_t page, line;
  bool present; ///< The token has one.

  __device__ CacheRow(const AppendCall &call, int64_t token) {
    int64_t slot = call.slots.at(token);
    present = slot >= 0;
    page = present ? slot / call.page : 0;
    line = present ? slot - page * call.page : 0;
  }

  /// Writes one packet of the latent. With block scales the 16 threads of a
  /// block come here together.
  template <typename T>
  __device__ void storeLatent(const AppendCall &call, int64_t token,
                              int packet) const {
    uint4 bits = loadPacket(call.cKv.at(token), packet);
    char *row = call.cacheLatent.at(page, line);
    if (call.format == RowFormat::Same)
      return storePacket(row, packet, bits);
    if (call.format == RowFormat::Fp8)
      return quantizePacket<T>(row, packet, bits, 1.0f / *call.latentScale);
    float values[packetColumns];
    widen<T>(bits, values);
    float scale = blockScale(values);
    if (packet % scaleThreads == 0)
      reinterpret_cast<float *>(
          call.scales.at(page, line))[packet / scaleThreads] = scale;
    storeFp8(row, packet, values, 1.0f / scale);
  }
};

} // namespace mla::bench::peers

#endif // MLA_BENCH_PEERS_CACHEROW_H
