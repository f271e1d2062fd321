//===- AppendTasks.h - What warps do for append's tokens ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What is slow is waiting for memory: a task reads its first packets, and at
// the same time whatever decides what becomes of them. Only a row of the table
// has to wait for something else, its position.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDTASKS_H
#define MLA_RUNTIME_CUDA_APPENDTASKS_H

#include "AppendVectors.h"

namespace mla {
namespace cuda {

/// Packets of a lane that are on their way at once; of a latent, fewer are
/// left.
constexpr int unroll = 3;
constexpr int latentUnroll = 2;

__device__ inline uint32_t laneOfWarp() { return threadIdx.x % warpLanes; }

/// What decides about a token.
template <typename V> struct Decision {
  int64_t position = 0;
  int32_t real = 0;
  float query = 1, latent = 1, pe = 1;

  __device__ Decision(const AppendVectors &a, uint32_t t) {
    if constexpr (V::rotates) {
      const char *address = a.positions + t * a.positionStride;
      position = a.widePositions ? *reinterpret_cast<const int64_t *>(address)
                                 : *reinterpret_cast<const int32_t *>(address);
    }
    real = a.cuQ ? *a.cuQ : static_cast<int32_t>(a.tokens);
    if constexpr (V::scaled) {
      query = a.queryScale ? *a.queryScale : 1.0f;
      latent = a.latentScale ? *a.latentScale : 1.0f;
      pe = a.peScale ? *a.peScale : 1.0f;
    }
  }

  /// Brings what the constructor reads, and the slot, to the L2, which may
  /// happen while it is still being written. Once a token: a line that all
  /// warps ask for is a bottleneck there.
  static __device__ void prefetch(const AppendVectors &a, uint32_t t) {
    if constexpr (V::rotates)
      prefetchToL2(a.positions + t * a.positionStride);
    if (a.slots)
      prefetchToL2(a.slots + t * a.slotStride);
    if (t > 0)
      return;
    if (a.cuQ)
      prefetchToL2(a.cuQ);
    if constexpr (V::scaled)
      for (const float *scale : {a.queryScale, a.latentScale, a.peScale})
        if (scale)
          prefetchToL2(scale);
  }

  /// Whether the token is to be written; what is wrong is recorded.
  __device__ bool isGood(const AppendVectors &a, uint32_t t) const {
    bool good = static_cast<int32_t>(t) < real;
    bool usual = good && real <= static_cast<int32_t>(a.tokens);
    if constexpr (V::rotates)
      usual &=
          static_cast<uint64_t>(position) < static_cast<uint64_t>(a.tableRows);
    if constexpr (V::scaled)
      usual &= isScale(query) && isScale(latent) && isScale(pe);
    if (__builtin_expect(usual, 1))
      return true;
    isOutside(a.fault, FaultSite::append_cu_q, a.sequences, real,
              static_cast<int64_t>(a.tokens) + 1);
    if constexpr (V::scaled)
      if (isBadScale(a.fault, FaultSite::append_query_scale, query) ||
          isBadScale(a.fault, FaultSite::append_latent_scale, latent) ||
          isBadScale(a.fault, FaultSite::append_pe_scale, pe))
        return false;
    return good &&
           (!V::rotates || !isOutside(a.fault, FaultSite::append_positions, t,
                                      position, a.tableRows));
  }
};

/// The factor of values that become `to`.
template <uint32_t to, typename V> __device__ float factorOf(float scale) {
  return to == V::input ? 1.0f : 1.0f / scale;
}

//===--- Eight pe columns of a row ----------------------------------------===//

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

__device__ inline void rotatePair(float cosine, float sine, float &a,
                                  float &b) {
  float rotated = a * cosine - b * sine;
  b = b * cosine + a * sine;
  a = rotated;
}

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

//===--- Tasks ------------------------------------------------------------===//
//
// Each has packets that it loads; start(), when its token turned out to be
// good; store(), which writes them; and clear(), in place of the last two, for
// a token that isn't good.

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
    page = static_cast<uint32_t>(slot) / a.pageSize;
    line = static_cast<uint32_t>(slot) - page * a.pageSize;
    return true;
  }

  __device__ char *at(char *data, int64_t pageStride,
                      int64_t lineStride) const {
    return data + page * pageStride + line * lineStride;
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
        end(min((task + 1) * a.latentPerTask, a.latentPackets)) {
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
    to = row.at(a.latent, a.latentPage, a.latentLine);
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
          *reinterpret_cast<float *>(
              row.at(a.scales, a.scalePage, a.scaleLine) +
              p / scaleLanes * a.scaleStep) = scale;
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
    if (a.pe && row.find(a, token))
      cached = row.at(a.pe, a.pePage, a.peLine) + laneOffset<V, V::pe>(lane);
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

template <typename V, typename Task>
__device__ void perform(const AppendVectors &a, uint32_t t, Task task) {
  Decision<V> decision(a, t);
  task.load(a);
  if (!decision.isGood(a, t))
    return task.clear(a);
  if (!task.start(a, decision))
    return;
  do
    task.store(a);
  while (task.next(a) && (task.load(a), true));
}

/// Task `task` of token `t`, by the calling warp.
template <typename V>
__device__ void performTask(const AppendVectors &a, uint32_t t, uint32_t task) {
  if (task < a.peTasks)
    return perform<V>(a, t, QueryPe<V>(a, t, task));
  task -= a.peTasks;
  if (task < a.nopeTasks)
    return perform<V>(a, t, QueryNope<V>(a, t, task));
  task -= a.nopeTasks;
  if (task < a.latentTasks)
    return perform<V>(a, t, KeyLatent<V>(a, t, task));
  // One token's are few lanes: where there is much to do, a warp has as many
  // tokens as it has lanes for, and the tasks of the others are empty.
  uint32_t lane = laneOfWarp();
  if (a.keyTokens > 1) {
    uint32_t other = a.byPeLanes.divide(lane);
    lane -= other * a.byPeLanes.number;
    if (t % a.keyTokens != 0 || other >= a.keyTokens || t + other >= a.tokens)
      return;
    t += other;
  }
  perform<V>(a, t, KeyPe<V>(a, t, lane));
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDTASKS_H
