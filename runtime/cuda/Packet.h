//===- Packet.h - Rows in pieces of eight columns, one a thread -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Kernels that move rows give each thread a packet: eight columns, 16 bytes of
// a 16-bit type. Whether a tensor's packets are moved by vector instructions or
// element by element is decided on the host, for each tensor by itself. A
// packet keeps its elements' bits until somebody asks for their values, so that
// moving one changes nothing.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_PACKET_H
#define MLA_RUNTIME_CUDA_PACKET_H

#include "Convert.h"

namespace mla {
namespace cuda {

/// Columns of a packet.
constexpr int packetSize = 8;

/// Packets that cover `width` columns.
__host__ __device__ constexpr int64_t numPackets(int64_t width) {
  return (width + packetSize - 1) / packetSize;
}

/// The bits of eight elements of one type (f32, f16, bf16 or f8E4M3FN) as they
/// lie side by side in memory; smaller types leave the last words unused.
struct Packet {
  uint32_t words[packetSize];
};

/// One row: what the last dim of a tensor spans.
struct Row {
  char *data;
  int64_t step; ///< Bytes from an element to the next one.
  uint32_t dtype;
  int size;     ///< Bytes of an element.
  bool vectors; ///< Its packets are full, aligned and contiguous.
};

/// A tensor whose rows are moved in packets.
template <int Rank> struct Packets : Tensor<Rank> {
  int size = 0;
  bool vectors = false;

  Packets() = default;
  explicit Packets(const Tensor<Rank> &tensor)
      : Tensor<Rank>(tensor), size(elementSize(tensor.dtype)),
        vectors(this->hasVectors(alignment()) &&
                this->width() % packetSize == 0) {}
  explicit Packets(const mla_tensor *tensor) : Packets(Tensor<Rank>(tensor)) {}

  template <typename... Index> __device__ Row row(Index... indices) const {
    return {this->at(indices...), this->strides[Rank - 1], this->dtype, size,
            vectors};
  }

private:
  int alignment() const {
    int bytes = packetSize * size;
    return bytes == 0 ? 1 : bytes < 16 ? bytes : 16;
  }
};

// Element by element; calls, to keep the code around the vectors short.

__device__ __noinline__ inline Packet
loadElements(const char *address, int64_t step, int size, int64_t count) {
  Packet packet = {};
#pragma unroll
  for (int i = 0; i < packetSize; ++i) {
    if (i >= count)
      continue;
    const char *element = address + i * step;
    if (size == 4)
      packet.words[i] = *reinterpret_cast<const uint32_t *>(element);
    else if (size == 2)
      packet.words[i / 2] |=
          static_cast<uint32_t>(*reinterpret_cast<const uint16_t *>(element))
          << (16 * (i % 2));
    else
      packet.words[i / 4] |=
          static_cast<uint32_t>(*reinterpret_cast<const uint8_t *>(element))
          << (8 * (i % 4));
  }
  return packet;
}

__device__ __noinline__ inline void storeElements(char *address, int64_t step,
                                                  int size, Packet packet,
                                                  int64_t count) {
  const uint32_t *words = packet.words;
#pragma unroll
  for (int i = 0; i < packetSize; ++i) {
    if (i >= count)
      continue;
    char *element = address + i * step;
    if (size == 4)
      *reinterpret_cast<uint32_t *>(element) = words[i];
    else if (size == 2)
      *reinterpret_cast<uint16_t *>(element) =
          static_cast<uint16_t>(words[i / 2] >> (16 * (i % 2)));
    else
      *reinterpret_cast<uint8_t *>(element) =
          static_cast<uint8_t>(words[i / 4] >> (8 * (i % 4)));
  }
}

/// The `count` columns from `column` on, at most eight; the others are 0. Any
/// count but eight is for rows without vectors.
__device__ inline Packet loadPacket(const Row &row, int64_t column,
                                    int64_t count = packetSize) {
  const char *address = row.data + column * row.step;
  if (!row.vectors)
    return loadElements(address, row.step, row.size, count);
  Packet packet = {};
  if (row.size == 1) {
    auto vector = *reinterpret_cast<const uint2 *>(address);
    packet.words[0] = vector.x;
    packet.words[1] = vector.y;
    return packet;
  }
  const auto *vectors = reinterpret_cast<const uint4 *>(address);
  uint4 low = vectors[0], high = {};
  if (row.size == 4)
    high = vectors[1];
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}

/// Writes the `count` columns from `column` on.
__device__ inline void storePacket(const Row &row, int64_t column,
                                   const Packet &packet,
                                   int64_t count = packetSize) {
  char *address = row.data + column * row.step;
  if (!row.vectors)
    return storeElements(address, row.step, row.size, packet, count);
  const uint32_t *words = packet.words;
  if (row.size == 1) {
    *reinterpret_cast<uint2 *>(address) = make_uint2(words[0], words[1]);
    return;
  }
  auto *vectors = reinterpret_cast<uint4 *>(address);
  vectors[0] = make_uint4(words[0], words[1], words[2], words[3]);
  if (row.size == 4)
    vectors[1] = make_uint4(words[4], words[5], words[6], words[7]);
}

/// The elements' values; exact.
__device__ inline void unpack(const Packet &packet, uint32_t dtype,
                              float (&values)[packetSize]) {
  const uint32_t *words = packet.words;
  if (dtype == MLA_DTYPE_F32) {
#pragma unroll
    for (int i = 0; i < packetSize; ++i)
      values[i] = __uint_as_float(words[i]);
  } else if (dtype == MLA_DTYPE_BF16) {
#pragma unroll
    for (int i = 0; i < packetSize; i += 2) {
      values[i] = __uint_as_float(words[i / 2] << 16);
      values[i + 1] = __uint_as_float(words[i / 2] & 0xffff0000u);
    }
  } else {
#pragma unroll
    for (int i = 0; i < packetSize; i += 2) {
      __half2_raw pair;
      if (dtype == MLA_DTYPE_F16) {
        pair.x = static_cast<uint16_t>(words[i / 2]);
        pair.y = static_cast<uint16_t>(words[i / 2] >> 16);
      } else {
        auto codes = static_cast<uint16_t>(words[i / 4] >> (16 * (i / 2 % 2)));
        pair = __nv_cvt_fp8x2_to_halfraw2(codes, __NV_E4M3);
      }
      float2 wide = __half22float2(__half2(pair));
      values[i] = wide.x;
      values[i + 1] = wide.y;
    }
  }
}

/// The values rounded to `dtype`: to the nearest, ties to even; f8E4M3FN
/// saturates.
__device__ inline Packet pack(const float (&values)[packetSize],
                              uint32_t dtype) {
  Packet packet = {};
  if (dtype == MLA_DTYPE_F32) {
#pragma unroll
    for (int i = 0; i < packetSize; ++i)
      packet.words[i] = __float_as_uint(values[i]);
    return packet;
  }
#pragma unroll
  for (int i = 0; i < packetSize; i += 2) {
    if (dtype == MLA_DTYPE_BF16) {
      __nv_bfloat162_raw pair = __floats2bfloat162_rn(values[i], values[i + 1]);
      packet.words[i / 2] = pair.x | static_cast<uint32_t>(pair.y) << 16;
    } else if (dtype == MLA_DTYPE_F16) {
      __half2_raw pair = __floats2half2_rn(values[i], values[i + 1]);
      packet.words[i / 2] = pair.x | static_cast<uint32_t>(pair.y) << 16;
    } else {
      uint32_t codes = __nv_cvt_float2_to_fp8x2(
          make_float2(values[i], values[i + 1]), __NV_SATFINITE, __NV_E4M3);
      packet.words[i / 4] |= codes << (16 * (i / 2 % 2));
    }
  }
  return packet;
}

/// What `packet`, of the type `from`, is as one of the type `to`: the same bits
/// where the types are equal, else rounded, after multiplying by `factor`
/// (which is 1 unless one of them is f8E4M3FN).
__device__ inline Packet convert(const Packet &packet, uint32_t from,
                                 uint32_t to, float factor = 1.0f) {
  if (from == to)
    return packet;
  float values[packetSize];
  unpack(packet, from, values);
#pragma unroll
  for (float &value : values)
    value *= factor;
  return pack(values, to);
}

/// How a warp goes over rows of `packets` packets each: as many rows at once
/// as it has lanes for, and a row's packets in turns where it has too few. A
/// lane without a packet has a row that is no less than `rows`.
struct LaneGrid {
  int64_t first, step; ///< This lane's packets of a row.
  int row, rows;       ///< Its row, of those that the warp takes at once.

  __device__ LaneGrid(int lane, int64_t packets) {
    if (packets >= 32) {
      first = lane, step = 32, row = 0, rows = 1;
      return;
    }
    int width = packets > 0 ? static_cast<int>(packets) : 1;
    rows = 32 / width;
    row = lane / width;
    first = row < rows ? lane % width : packets;
    step = width;
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_PACKET_H
