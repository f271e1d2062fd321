//===- Rotation.h - Rotary position embedding of packets ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The pair (a, b) at angle i becomes (a cos - b sin, b cos + a sin) (RoFormer,
// arXiv:2104.09864, section 3.2). A thread rotates eight pairs, which two
// packets hold in either style: interleaved pairs (2i, 2i + 1) lie in two
// neighbouring packets, half pairs (i, i + R/2) in one of each half.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ROTATION_H
#define MLA_RUNTIME_CUDA_ROTATION_H

#include "Packet.h"

namespace mla {
namespace cuda {

/// Rotates a pair. What the compiler fuses is left to no one: every kernel that
/// rotates gives the same bits.
__device__ inline void rotatePair(float cosine, float sine, float &a,
                                  float &b) {
  float rotated = __fmaf_rn(a, cosine, -__fmul_rn(b, sine));
  b = __fmaf_rn(b, cosine, __fmul_rn(a, sine));
  a = rotated;
}

/// The columns of the pairs [pair, pair + 8) of a row of `pairs`.
template <int style> struct PairColumns {
  int64_t first, second;           ///< Where the packets begin.
  int64_t firstCount, secondCount; ///< Their columns; fewer at a row's end.

  __device__ PairColumns(int64_t pair, int64_t pairs) {
    if (style == MLA_ROPE_INTERLEAVED) {
      first = 2 * pair;
      second = first + packetSize;
      firstCount = 2 * (pairs - pair);
      secondCount = firstCount - packetSize;
    } else {
      first = pair;
      second = pair + pairs;
      firstCount = secondCount = pairs - pair;
    }
  }
};

/// Makes `tensor`, of rows that are rotated or of the table, use vectors only
/// where both packets of a thread are full.
template <int Rank> Packets<Rank> inPairs(Packets<Rank> tensor) {
  tensor.vectors &= tensor.width() % (2 * packetSize) == 0;
  return tensor;
}

/// The cosines and sines of eight pairs.
struct Angles {
  float cosine[packetSize], sine[packetSize];

  /// `table` is a row of the table, [cosines | sines] of `pairs` each.
  __device__ Angles(const Row &table, int64_t pair, int64_t pairs) {
    int64_t count = pairs - pair;
    unpack(loadPacket(table, pair, count), MLA_DTYPE_F32, cosine);
    unpack(loadPacket(table, pairs + pair, count), MLA_DTYPE_F32, sine);
  }

  /// Rotates the values of the two packets.
  template <int style>
  __device__ void rotate(float (&first)[packetSize],
                         float (&second)[packetSize]) const {
#pragma unroll
    for (int i = 0; i < packetSize; ++i) {
      if (style == MLA_ROPE_HALF)
        rotatePair(cosine[i], sine[i], first[i], second[i]);
      else if (i < packetSize / 2)
        rotatePair(cosine[i], sine[i], first[2 * i], first[2 * i + 1]);
      else
        rotatePair(cosine[i], sine[i], second[2 * i - packetSize],
                   second[2 * i - packetSize + 1]);
    }
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ROTATION_H
