//===- AppendQuery.h - append's tasks of a token's heads ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDQUERY_H
#define MLA_RUNTIME_CUDA_APPENDQUERY_H

#include "AppendDecision.h"
#include "AppendPe.h"

namespace mla {
namespace cuda {

/// Packets of a lane that are on their way at once.
constexpr int unroll = 3;

/// The pe columns of some of a token's heads. The angles are read once.
template <typename V> struct QueryPe {
  uint32_t lane, row, end;
  const char *from;
  char *to;
  float factor;
  LaneAngles angles;
  Packet packets[unroll];

  __device__ QueryPe(const AppendVectors &a, uint32_t t, uint32_t task)
      : lane(laneOfWarp()) {
    uint32_t laneRow = a.byPeLanes.divide(lane);
    lane -= laneRow * a.byPeLanes.number;
    row = task * a.headsPerTask + laneRow;
    // A warp's last lanes may be too few for a row.
    end = laneRow < a.peRows ? min((task + 1) * a.headsPerTask, a.heads) : 0;
    from = a.qPe.row(t, row) + laneOffset<V, V::input>(lane);
    to = a.query.row(t, row) + a.queryPe + laneOffset<V, V::query>(lane);
  }

  __device__ void load(const AppendVectors &a) {
    const char *at = from;
    int64_t step = a.peRows * a.qPe.head;
#pragma unroll
    for (int i = 0; i < unroll; ++i, at += step)
      if (row + i * a.peRows < end)
        packets[i] = loadPe<V>(a, at);
    from = at;
  }

  __device__ bool start(const AppendVectors &a, const Decision<V> &decision) {
    factor = factorOf<V::query, V>(decision.query);
    if (row >= end)
      return false;
    if constexpr (V::rotates)
      angles.load(a, decision.position, lane);
    return true;
  }

  __device__ void store(const AppendVectors &a) {
    char *at = to;
    int64_t step = a.peRows * a.query.head;
#pragma unroll
    for (int i = 0; i < unroll; ++i, at += step)
      if (row + i * a.peRows < end)
        storePe<V, V::query>(
            a, at, rotated<V, V::query>(a, packets[i], angles, factor));
    to = at;
  }

  __device__ bool next(const AppendVectors &a) {
    row += unroll * a.peRows;
    return row < end;
  }

  __device__ void clear(const AppendVectors &a) {
    char *at = to - a.queryPe - laneOffset<V, V::query>(lane);
    for (; row < end; row += a.peRows, at += a.peRows * a.query.head)
      for (uint32_t i = a.clearFrom + lane * packetBytes<V::query>;
           i < a.queryWidth; i += a.byPeLanes.number * packetBytes<V::query>)
        storeVector<V::query>(at + i, Packet{});
  }
};

/// Some packets of the nope columns of a token's heads.
template <typename V> struct QueryNope {
  uint32_t packet, end;
  const char *from;
  char *to;
  float factor;
  Packet packets[unroll];

  __device__ QueryNope(const AppendVectors &a, uint32_t t, uint32_t task)
      : packet(task * a.nopePerTask + laneOfWarp()),
        end(min((task + 1) * a.nopePerTask, a.heads * a.byNopePackets.number)),
        from(a.qNope.row(t, 0)), to(a.query.row(t, 0)) {}

  /// Bytes from the token's first row to packet `p`, in a tensor whose packets
  /// have `bytes` bytes.
  static __device__ int32_t offset(const AppendVectors &a, uint32_t p,
                                   int32_t head, uint32_t bytes) {
    uint32_t row = a.byNopePackets.divide(p);
    return static_cast<int32_t>(row) * head +
           static_cast<int32_t>((p - row * a.byNopePackets.number) * bytes);
  }

  __device__ void load(const AppendVectors &a) {
#pragma unroll
    for (int i = 0; i < unroll; ++i)
      if (uint32_t p = packet + i * warpLanes; p < end)
        packets[i] = loadVector(from + offset(a, p, a.qNope.head, 16));
  }

  __device__ bool start(const AppendVectors &, const Decision<V> &decision) {
    factor = factorOf<V::query, V>(decision.query);
    return packet < end;
  }

  __device__ void put(const AppendVectors &a, uint32_t p, const Packet &out) {
    storeVector<V::query>(
        to + offset(a, p, a.query.head, packetBytes<V::query>), out);
  }

  __device__ void store(const AppendVectors &a) {
#pragma unroll
    for (int i = 0; i < unroll; ++i)
      if (uint32_t p = packet + i * warpLanes; p < end)
        put(a, p, convert(packets[i], V::input, V::query, factor));
  }

  __device__ bool next(const AppendVectors &) { return false; }

  __device__ void clear(const AppendVectors &a) {
    for (; packet < end; packet += warpLanes)
      put(a, packet, Packet{});
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDQUERY_H
