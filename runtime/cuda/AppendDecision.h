//===- AppendDecision.h - What decides about a token of append ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDDECISION_H
#define MLA_RUNTIME_CUDA_APPENDDECISION_H

#include "AppendVectors.h"

namespace mla {
namespace cuda {

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

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDDECISION_H
