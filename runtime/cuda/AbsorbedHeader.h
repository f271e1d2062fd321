//===- AbsorbedHeader.h - Whether a call's data can be used ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What AbsorbedCall::isUsable() asks, by a whole warp: each lane looks at
// another datum. All are under way at once, and the code is short, which counts
// where a kernel starts: instructions come from memory too.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDHEADER_H
#define MLA_RUNTIME_CUDA_ABSORBEDHEADER_H

#include "AbsorbedCall.h"

namespace mla {
namespace cuda {

/// The header of a call's schedule, and its scales.
class AbsorbedHeader {
public:
  /// Asks for them. Without a schedule there is no header to be wrong.
  __device__ AbsorbedHeader(const AbsorbedParams &p, const Tensor<1> &schedule)
      : p(p), lane(threadIdx.x % 32), isGiven(schedule) {
    const float *from = lane == 0   ? p.queryScale
                        : lane == 1 ? p.latentScale
                        : lane == 2 ? p.peScale
                                    : nullptr;
    if (isGiven && lane < ScheduleHeader)
      value = *reinterpret_cast<const int32_t *>(schedule.at(lane));
    if (from)
      scale = *from;
  }

  /// Element `i` of the header.
  __device__ int element(int i) const { return __shfl_sync(~0u, value, i); }

  /// Whether all can be used; nothing is recorded.
  __device__ bool isUsable() const {
    return __all_sync(~0u, isWithin() && isScale(scale));
  }

  /// The same, and one that can't be used is recorded.
  __device__ bool isUsableRecorded() const {
    bool fits = isWithin();
    uint32_t badScales = __ballot_sync(~0u, !isScale(scale));
    uint32_t badElements = __ballot_sync(~0u, !fits);
    int lanes = element(ScheduleLanes);
    if (badScales) {
      isBadScale(
          p.fault,
          static_cast<FaultSite>(
              static_cast<int>(FaultSite::absorbed_attention_query_scale) +
              lane),
          scale);
    } else if (badElements && lane == __ffs(badElements) - 1) {
      int64_t most =
          lane == ScheduleParts ? p.shape.numCTAs / max(lanes, 1) : highest();
      recordFault(p.fault, FaultSite::absorbed_attention_schedule, lane, value,
                  most + 1, lowest());
    }
    return !badScales && !badElements;
  }

private:
  // Selections one behind the other: chosen from each other they become jumps.
  __device__ int lowest() const {
    int result = 1;
    result = lane == ScheduleMagic ? scheduleMagic : result;
    result = lane == ScheduleNumSeqs ? p.seqs : result;
    result = lane == ScheduleNumHeads ? p.heads : result;
    result = lane == SchedulePageSize ? p.pageSize : result;
    result = lane == ScheduleNumCTAs ? p.shape.numCTAs : result;
    result = lane == ScheduleTileRows ? maxTileRows : result;
    return result;
  }
  /// Of the parts: what they and the lanes may be multiplied.
  __device__ int highest() const {
    return lane < ScheduleLanes ? lowest() : p.shape.numCTAs;
  }

  /// Whether the lane's element of the header is what this call's may be. The
  /// kernels rely on the last two to end.
  __device__ bool isWithin() const {
    int64_t lanes = element(ScheduleLanes);
    lanes = lane == ScheduleParts ? lanes : 1;
    bool fits =
        value >= lowest() && value <= highest() && value * lanes <= highest();
    return !isGiven || lane >= ScheduleHeader || fits;
  }
  static_assert(ScheduleLanes == 6 && ScheduleParts == 7 && ScheduleHeader == 8,
                "the order of the above");
  static_assert(
      static_cast<int>(FaultSite::absorbed_attention_pe_scale) ==
          static_cast<int>(FaultSite::absorbed_attention_query_scale) + 2,
      "lanes 0 to 2 have the scales, in their sites' order");

  const AbsorbedParams &p;
  int lane;
  bool isGiven;
  int value = 0;
  float scale = 1;
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDHEADER_H
