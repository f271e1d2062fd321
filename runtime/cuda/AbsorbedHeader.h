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
    int lowest, highest;
    bool fits = isWithin(lowest, highest);
    return __all_sync(~0u, fits && isScale(scale));
  }

  /// The same, and one that can't be used is recorded.
  __device__ bool isUsableRecorded() const {
    int lowest, highest;
    bool fits = isWithin(lowest, highest);
    uint32_t badScales = __ballot_sync(~0u, !isScale(scale));
    uint32_t badElements = __ballot_sync(~0u, !fits);
    if (badScales)
      isBadScale(
          p.fault,
          static_cast<FaultSite>(
              static_cast<int>(FaultSite::absorbed_attention_query_scale) +
              lane),
          scale);
    else if (badElements && lane == __ffs(badElements) - 1)
      recordFault(p.fault, FaultSite::absorbed_attention_schedule, lane, value,
                  static_cast<int64_t>(highest) + 1, lowest);
    return !badScales && !badElements;
  }

private:
  /// Whether the lane's element of the header is what this call's may be. The
  /// kernels rely on the last two to end.
  __device__ bool isWithin(int &lowest, int &highest) const {
    int most = p.shape.numCTAs, lanes = element(ScheduleLanes);
    lowest = lane == ScheduleMagic      ? scheduleMagic
             : lane == ScheduleNumSeqs  ? p.seqs
             : lane == ScheduleNumHeads ? p.heads
             : lane == SchedulePageSize ? p.pageSize
             : lane == ScheduleNumCTAs  ? most
             : lane == ScheduleTileRows ? maxTileRows
                                        : 1;
    highest = lane < ScheduleLanes    ? lowest
              : lane == ScheduleLanes ? most
                                      : most / max(lanes, 1);
    return !isGiven || lane >= ScheduleHeader ||
           (value >= lowest && value <= highest);
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
