//===- AppendPe.h - Eight pe columns of a row, those of a lane ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDPE_H
#define MLA_RUNTIME_CUDA_APPENDPE_H

#include "AppendVectors.h"
#include "Rotation.h"

namespace mla {
namespace cuda {

/// The angles of four pairs.
struct LaneAngles {
  float4 cosine, sine;

  __device__ void load(const AppendVectors &a, int64_t position,
                       uint32_t lane) {
    const auto *row = reinterpret_cast<const float4 *>(
        a.cosSin + position * a.cosSinRow + lane * sizeof(float4));
    cosine = row[0];
    sine = row[a.byPeLanes.number];
  }
};

/// Where a lane's columns are: side by side, or four in each half of the row.
template <typename V> constexpr uint32_t columnsTogether = V::halves ? 4 : 8;

template <typename V, uint32_t dtype>
__device__ uint32_t laneOffset(uint32_t lane) {
  return lane * columnsTogether<V> * elementSize(dtype);
}

template <typename V>
__device__ Packet loadPe(const AppendVectors &a, const char *from) {
  if constexpr (!V::halves)
    return loadVector(from);
  const auto *units = reinterpret_cast<const uint2 *>(from);
  uint2 first = units[0], second = units[a.byPeLanes.number];
  return {{first.x, first.y, second.x, second.y}};
}

template <typename V, uint32_t to>
__device__ void storePe(const AppendVectors &a, char *address,
                        const Packet &packet) {
  const uint32_t *words = packet.words;
  if constexpr (!V::halves) {
    storeVector<to>(address, packet);
  } else if constexpr (to == MLA_DTYPE_F8E4M3FN) {
    auto *units = reinterpret_cast<uint32_t *>(address);
    units[0] = words[0];
    units[a.byPeLanes.number] = words[1];
  } else {
    auto *units = reinterpret_cast<uint2 *>(address);
    units[0] = make_uint2(words[0], words[1]);
    units[a.byPeLanes.number] = make_uint2(words[2], words[3]);
  }
}

/// The columns rotated, as the type `to`.
template <typename V, uint32_t to>
__device__ Packet rotated(const AppendVectors &a, const Packet &packet,
                          const LaneAngles &angles, float factor) {
  if constexpr (!V::rotates)
    return convert(packet, V::input, to, factor);
  float x[packetSize];
  unpack(packet, V::input, x);
  const float4 &c = angles.cosine, &s = angles.sine;
  constexpr int step = V::halves ? 1 : 2, other = V::halves ? 4 : 1;
  rotatePair(c.x, s.x, x[0], x[other]);
  rotatePair(c.y, s.y, x[step], x[step + other]);
  rotatePair(c.z, s.z, x[2 * step], x[2 * step + other]);
  rotatePair(c.w, s.w, x[3 * step], x[3 * step + other]);
  if constexpr (to != V::input) {
    if (a.through)
      unpack(pack(x, V::input), V::input, x);
    for (float &value : x)
      value *= factor;
  }
  return pack(x, to);
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDPE_H
