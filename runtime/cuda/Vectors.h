//===- Vectors.h - Rows in 16-byte units of a type known beforehand -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What the kernels for 16-bit rows share: packets (Packet.h) of a type that is
// a constant, moved by one vector instruction, and rows of which the host has
// seen that they allow it.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_VECTORS_H
#define MLA_RUNTIME_CUDA_VECTORS_H

#include "Launch.h"
#include "Packet.h"

#include <climits>

namespace mla {
namespace cuda {

__device__ inline void prefetchToL2(const void *address) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
}

/// A packet of a 16-bit type.
__device__ inline Packet loadVector(const char *address) {
  uint4 vector = *reinterpret_cast<const uint4 *>(address);
  return {{vector.x, vector.y, vector.z, vector.w}};
}

/// Writes a packet of a 16-bit type, or of fp8.
template <uint32_t dtype>
__device__ void storeVector(char *address, const Packet &packet) {
  const uint32_t *words = packet.words;
  if constexpr (dtype == MLA_DTYPE_F8E4M3FN)
    *reinterpret_cast<uint2 *>(address) = make_uint2(words[0], words[1]);
  else
    *reinterpret_cast<uint4 *>(address) =
        make_uint4(words[0], words[1], words[2], words[3]);
}

/// Bytes of a packet.
template <uint32_t dtype>
constexpr uint32_t packetBytes = packetSize * elementSize(dtype);

/// Rows [tokens, width].
struct TokenRows {
  char *data = nullptr;
  int64_t token = 0; ///< Bytes from a token to the next.

  TokenRows() = default;
  explicit TokenRows(const Tensor<2> &tensor)
      : data(tensor.data), token(tensor.strides[0]) {}

  __device__ char *row(uint32_t t) const { return data + t * token; }
};

/// Rows [tokens, heads, width]. A token's heads lie within 2 GiB.
struct HeadRows {
  char *data = nullptr;
  int64_t token = 0;
  int32_t head = 0;

  HeadRows() = default;
  explicit HeadRows(const Tensor<3> &tensor)
      : data(tensor.data), token(tensor.strides[0]),
        head(static_cast<int32_t>(tensor.strides[1])) {}

  /// Whether the strides of `tensor` fit.
  static bool canHold(const Tensor<3> &tensor) {
    int64_t heads = tensor.shape[1], stride = tensor.strides[1];
    return stride >= 0 && stride <= INT_MAX &&
           (heads == 0 || stride <= INT_MAX / heads);
  }

  __device__ char *row(uint32_t t, uint32_t h) const {
    return data + t * token + static_cast<int32_t>(h) * head;
  }
};

/// Division of small numbers by one that is the same for a whole launch.
struct Divisor {
  uint32_t number = 1, inverse = 0;

  Divisor() = default;
  explicit Divisor(uint32_t number)
      : number(number), inverse(number > 1 ? UINT32_MAX / number + 1 : 0) {}

  /// What is less is divided rightly: the inverse is too large by less than
  /// number / 2^32, and that times what is divided must stay below 1.
  int64_t exactBelow() const {
    return std::min((int64_t(1) << 32) / number, int64_t{INT_MAX});
  }

  __device__ uint32_t divide(uint32_t value) const {
    return number > 1 ? __umulhi(value, inverse) : value;
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_VECTORS_H
