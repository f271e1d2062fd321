//===- AppendKey.h - append's tasks of a token's key ----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDKEY_H
#define MLA_RUNTIME_CUDA_APPENDKEY_H

#include "AppendDecision.h"
#include "AppendPe.h"

namespace mla {
namespace cuda {

/// Packets of a latent that a lane has on their way at once.
constexpr int latentUnroll = 2;

/// Where a token goes in the cache.
struct CacheRow {
  int64_t slot = -1;
  uint32_t page = 0, line = 0;

  __device__ void load(const AppendVectors &a, uint32_t t) {
    if (a.slots)
      slot = *reinterpret_cast<const int64_t *>(a.slots + t * a.slotStride);
  }

  /// Whether it goes there.
  __device__ bool find(const AppendVectors &a, uint32_t t) {
    if (slot == -1 ||
        isOutside(a.fault, FaultSite::append_slots, t, slot, a.numSlots))
      return false;
    page = static_cast<uint32_t>(slot) / a.cache.pageSize;
    line = static_cast<uint32_t>(slot) - page * a.cache.pageSize;
    return true;
  }
};

/// Some packets of a token's latent, to the cache. Where no task has the heads'
/// pe columns, the first one clears what nothing is moved to.
template <typename V> struct KeyLatent {
  static constexpr int depth = latentUnroll;
  uint32_t token, packet, end;
  CacheRow row;
  char *to;
  float factor;
  Packet packets[depth];

  __device__ KeyLatent(const AppendVectors &a, uint32_t t, uint32_t task)
      : token(t), packet(task * a.latentPerTask + laneOfWarp()),
        end(min((task + 1) * a.latentPerTask, a.cache.latentPackets)) {
    row.load(a, t);
  }

  __device__ void load(const AppendVectors &a) {
    const char *from = a.cKv.row(token);
#pragma unroll
    for (int i = 0; i < depth; ++i) {
      packets[i] = {};
      if (uint32_t p = packet + i * warpLanes; p < end)
        packets[i] = loadVector(from + p * 16);
    }
  }

  __device__ bool start(const AppendVectors &a, const Decision<V> &decision) {
    factor = factorOf<V::latent, V>(decision.latent);
    if (!row.find(a, token))
      return false;
    to = a.cache.latentRow(row.page, row.line);
    return true;
  }

  __device__ void store(const AppendVectors &a) {
#pragma unroll
    for (int i = 0; i < depth; ++i) {
      uint32_t p = packet + i * warpLanes;
      Packet out;
      if constexpr (V::blocks) {
        float x[packetSize];
        unpack(packets[i], V::input, x);
        float scale = findBlockScale(x);
        if (p < end && laneOfWarp() % scaleLanes == 0)
          *a.cache.scale(row.page, row.line, p) = scale;
        float inverse = invertPowerOfTwo(scale);
        for (float &value : x)
          value *= inverse;
        out = pack(x, V::latent);
      } else {
        out = convert(packets[i], V::input, V::latent, factor);
      }
      if (p < end)
        storeVector<V::latent>(to + p * packetBytes<V::latent>, out);
    }
  }

  __device__ bool next(const AppendVectors &) { return false; }

  __device__ void clear(const AppendVectors &a) {
    if (!a.clearsOnly || packet != laneOfWarp())
      return;
    for (uint32_t h = 0; h < a.heads; ++h)
      for (uint32_t i = a.clearFrom + packet * packetBytes<V::query>;
           i < a.queryWidth; i += warpLanes * packetBytes<V::query>)
        storeVector<V::query>(a.query.row(token, h) + i, Packet{});
  }
};

/// A token's positional key, to the cache and to k_pe_out.
template <typename V> struct KeyPe {
  uint32_t token, lane;
  bool isMine; ///< Some of its columns are this lane's.
  CacheRow row;
  char *cached = nullptr, *out = nullptr;
  float factor;
  LaneAngles angles;
  Packet packet;

  __device__ KeyPe(const AppendVectors &a, uint32_t t, uint32_t lane)
      : token(t), lane(lane), isMine(lane < a.byPeLanes.number) {
    if (isMine && a.kPeOut.data)
      out = a.kPeOut.row(t) + laneOffset<V, V::input>(lane);
    row.load(a, t);
  }

  __device__ void load(const AppendVectors &a) {
    if (isMine)
      packet = loadPe<V>(a, a.kPe.row(token) + laneOffset<V, V::input>(lane));
  }

  __device__ bool start(const AppendVectors &a, const Decision<V> &decision) {
    if (!isMine)
      return false;
    if constexpr (V::rotates)
      angles.load(a, decision.position, lane);
    factor = factorOf<V::pe, V>(decision.pe);
    if (a.cache.pe && row.find(a, token))
      cached = a.cache.peRow(row.page, row.line) + laneOffset<V, V::pe>(lane);
    return true;
  }

  __device__ void store(const AppendVectors &a) {
    if (cached)
      storePe<V, V::pe>(a, cached,
                        rotated<V, V::pe>(a, packet, angles, factor));
    if (out)
      storePe<V, V::input>(a, out,
                           rotated<V, V::input>(a, packet, angles, 1.0f));
  }

  __device__ bool next(const AppendVectors &) { return false; }

  __device__ void clear(const AppendVectors &a) {
    if (out)
      storePe<V, V::input>(a, out, Packet{});
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDKEY_H
