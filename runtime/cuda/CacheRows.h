//===- CacheRows.h - Rows of a cache of any format ------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The formats are f32, f16 and bf16 as they are, and fp8 e4m3 with one scale a
// tensor or with one a row and block of 128 columns (docs/numerics.md, "fp8").
// A value x is stored as sat_e4m3(x * (1 / scale)) and read as q * scale.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_CACHEROWS_H
#define MLA_RUNTIME_CUDA_CACHEROWS_H

#include "Fault.h"
#include "WarpRows.h"

namespace mla {
namespace cuda {

/// Columns that share a scale in a block-scaled cache.
constexpr int scaleBlock = 128;
/// Their packets, and the lanes that hold them.
constexpr int scaleLanes = scaleBlock / packetSize;

/// The scale of a block of 128 columns, of which each of 16 neighbouring lanes
/// has eight: the least power of two, at least 2^-126, that brings the largest
/// finite magnitude to at most 448; 1 where there is none but 0. Called by
/// whole warps.
__device__ inline float findBlockScale(const float (&values)[packetSize]) {
  const uint32_t infinity = 0x7f800000u;
  uint32_t largest = 0;
#pragma unroll
  for (float value : values) {
    // The bits of positive numbers are in the numbers' order.
    uint32_t magnitude = __float_as_uint(value) & 0x7fffffffu;
    largest = max(largest, magnitude < infinity ? magnitude : 0u);
  }
#pragma unroll
  for (int distance = scaleLanes / 2; distance > 0; distance /= 2)
    largest = max(largest, __shfl_xor_sync(~0u, largest, distance));
  if (largest == 0)
    return 1.0f;
  // 448 = 1.75 * 2^8: the exponent's difference, and one more for a mantissa
  // beyond 1.75. In terms of the biased exponent, of which 1 is the least.
  uint32_t exponent = largest >> 23;
  exponent += (largest & 0x7fffffu) > 0x600000u;
  return __uint_as_float((max(exponent, 9u) - 8) << 23);
}

/// 1 / `power`, exactly; a power of two in [2^-126, 2^127).
__device__ inline float invertPowerOfTwo(float power) {
  return __uint_as_float((254u << 23) - __float_as_uint(power));
}

/// A cache as a kernel sees it. Rows are named by page and line; both exist.
struct CacheRows {
  Packets<3> latent, pe;
  Tensor<3> scales;
  const float *latentScale = nullptr, *peScale = nullptr;

  CacheRows() = default;
  template <typename Params>
  explicit CacheRows(const Params &params)
      : latent(params.cache_latent), pe(params.cache_pe),
        scales(params.cache_scales), latentScale(scalarOf(params.latent_scale)),
        peScale(scalarOf(params.pe_scale)) {}

  /// Address of a scale, an f32 of rank 0; null where it is absent.
  static const float *scalarOf(const mla_tensor *tensor) {
    return reinterpret_cast<const float *>(Tensor<0>(tensor).data);
  }

  /// Writes the latent of a row, multiplied by `factor`, the scale's
  /// reciprocal, where it is quantized; a block-scaled one gets its scales too.
  /// Called by a whole warp.
  __device__ void storeLatent(int lane, int64_t page, int64_t line,
                              const Row &from, float factor) const {
    Row to = latent.row(page, line);
    if (scales)
      return storeBlocks(lane, page, line, from, to);
    moveRows(
        lane, 0, 1, latent.width(), [&](int64_t) { return from; },
        [&](int64_t, int64_t column, int64_t count, const Packet &packet) {
          storePacket(to, column, convert(packet, from.dtype, to.dtype, factor),
                      count);
        });
  }

  __device__ float *blockScale(int64_t page, int64_t line,
                               int64_t block) const {
    return reinterpret_cast<float *>(scales.at(page, line, block));
  }

private:
  __device__ void storeBlocks(int lane, int64_t page, int64_t line,
                              const Row &from, const Row &to) const {
    int64_t packets = numPackets(latent.width());
    // Every lane takes every turn, for the sake of the others' block.
    for (int64_t p = lane; p - lane < packets; p += warpLanes) {
      float values[packetSize] = {};
      if (p < packets)
        unpack(loadPacket(from, p * packetSize), from.dtype, values);
      float scale = findBlockScale(values);
      if (p >= packets)
        continue;
      if (lane % scaleLanes == 0)
        *blockScale(page, line, p / scaleLanes) = scale;
      float factor = 1.0f / scale;
#pragma unroll
      for (float &value : values)
        value *= factor;
      storePacket(to, p * packetSize, pack(values, to.dtype));
    }
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_CACHEROWS_H
