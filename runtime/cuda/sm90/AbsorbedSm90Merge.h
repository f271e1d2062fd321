//===- AbsorbedSm90Merge.h - The merge by the attention's own CTAs --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Where few tiles are split, or none, there is no second kernel: all CTAs meet
// once they have ended their items, and then merge the states that lie in the
// slots (AbsorbedMerge.h). What there is to merge the loading warps ask, while
// the others work on the last item.
//
// A CTA waits for the others only if all have started: then they have their
// multiprocessors, and wait for nobody who doesn't. Where some haven't, as
// those that run are as many as the GPU has room for beside other streams'
// kernels, it leaves its share of the merge to the ones that come: the last to
// start finds that all have. So calls on several streams can't hold each other
// up, nor a kernel that stays on some multiprocessors: a cooperative launch,
// which starts all CTAs together, would wait until it has ended.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90MERGE_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90MERGE_H

#include "AbsorbedMergeSums.h"
#include "Launch.h"
#include "sm90/AbsorbedSm90.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// A place where all CTAs of a launch meet, once: counters in global memory
/// that need nothing done to them between launches, whatever their sizes. Of
/// what has to be complete all CTAs together add 2^31.
class Meeting {
public:
  __device__ explicit Meeting(MeetingCounters *counters)
      : counters(*counters) {}

  /// Tells that the CTA has started, by one thread, before a barrier of all.
  __device__ void start() const {
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;"
                 :
                 : "l"(&counters.started), "r"(share())
                 : "memory");
  }
  /// Whether all have; behind that barrier.
  __device__ bool haveAllStarted() const {
    uint32_t started;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];"
                 : "=r"(started)
                 : "l"(&counters.started)
                 : "memory");
    return (started & (complete - 1)) == 0;
  }

  /// Tells that the CTA has ended its items, by one thread, where there is
  /// nothing to merge.
  __device__ void pass() const {
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;"
                 :
                 : "l"(&counters.ended), "l"(uint64_t{share()} << 32)
                 : "memory");
  }
  /// The same where there is something, by one thread: what it knows of is seen
  /// by those that wait, of which this CTA `isOne` or not.
  __device__ void arrive(bool isOne) {
    uint64_t ended;
    asm volatile("atom.release.gpu.global.add.u64 %0, [%1], %2;"
                 : "=l"(ended)
                 : "l"(&counters.ended),
                   "l"((uint64_t{share()} << 32) + (isOne ? 0 : 1))
                 : "memory");
    before = highest(ended);
  }
  /// Waits for all CTAs, by the thread that arrived. How many wait, and this
  /// one's number among them, are left in `count` and `number`.
  __device__ void wait(int &count, int &number) const {
    uint64_t now;
    do
      asm volatile("ld.acquire.gpu.global.u64 %0, [%1];"
                   : "=l"(now)
                   : "l"(&counters.ended)
                   : "memory");
    while (highest(now) == before);
    auto absent = static_cast<uint32_t>(now);
    count = static_cast<int>(gridDim.x - absent);
    number = static_cast<int>(blockIdx.x);
    if (absent == 0)
      return;
    number = static_cast<int>(atomicAdd(&counters.numbers, 1u));
    if (number + 1 < count)
      return;
    // All others have looked.
    counters.numbers = 0;
    counters.ended = now - absent;
  }

private:
  static constexpr uint32_t complete = 1u << 31;
  __device__ static uint32_t share() {
    return blockIdx.x == 0 ? complete - (gridDim.x - 1) : 1;
  }
  /// The bit that is another one when all have ended.
  __device__ static uint32_t highest(uint64_t ended) {
    return static_cast<uint32_t>(ended >> 32) & complete;
  }

  MeetingCounters &counters;
  uint32_t before = 0; ///< What highest() was.
};

/// Those that find out what there is to merge, and those that do it.
using Finders = absorbed_merge::Team<queryThreads, QueryBarrier>;
using Mergers = absorbed_merge::Team<2 * groupThreads, BothGroupsBarrier>;
static_assert(Mergers::threads == absorbed_merge::mergeThreads,
              "the groups are the warps that merge");

/// Leaves what there is to merge in `control`. The query of the CTA's last item
/// has been loaded.
__device__ inline void findSplits(const AbsorbedParams &p, Control &control,
                                  bool isUsable, int lanes, int parts,
                                  int thread) {
  // Its rows' addresses, in the same place, were read by all.
  Finders::sync();
  absorbed_merge::SplitItems items(control.splits, p.shape.numCTAs);
  if (isUsable) {
    absorbed_merge::FindSplitItems<false, Finders> found(p, items, thread);
    found.load(lanes, parts);
    found.run();
  }
  if (thread == 0) {
    control.splitLanes = lanes;
    control.splitParts = parts;
    control.splitGroups = items.groups;
    control.allStarted = Meeting(p.meeting).haveAllStarted();
  }
}

template <typename T> struct SplitOutput {
  static constexpr bool countsIn32Bits = true; // fitsAbsorbedSm90()
  static __device__ int tileRows(const AbsorbedParams &) {
    return sm90::tileRows;
  }
  static __device__ void store(const AbsorbedCall &, const AbsorbedParams &p,
                               int t, int h, int column, float4 values) {
    *reinterpret_cast<uint2 *>(p.o.at(t, h, column)) = make_uint2(
        packPair<T>(values.x, values.y), packPair<T>(values.z, values.w));
  }
};

/// Merges the CTA's share of all split tiles' rows, by both groups once they
/// have ended the CTA's items. What findSplits() left is there.
template <typename T>
__device__ inline void mergeSplits(const AbsorbedCall &call,
                                   const AbsorbedParams &p, Control &control,
                                   char *stages) {
  using namespace absorbed_merge;
  // Asked for again, so that no register keeps it all the time.
  int thread;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
  thread -= groupThreads;
  Meeting meeting(p.meeting);
  SplitItems items(control.splits, p.shape.numCTAs);
  items.groups = control.splitGroups;
  if (items.groups == 0) {
    if (thread == 0)
      meeting.pass();
    return;
  }
  items.lanes = control.splitLanes, items.parts = control.splitParts;
  // The groups' states were written, and the stages are done with.
  Mergers::sync();
  bool waits = control.allStarted;
  if (!waits) {
    if (thread == 0)
      control.mergers = meeting.haveAllStarted();
    Mergers::sync();
    waits = control.mergers;
  }
  if (thread == 0)
    meeting.arrive(waits);
  // A CTA that had no item has not said so yet.
  letNextStart();
  if (!waits)
    return;
  Merge<Mergers, SplitOutput<T>, mostVectors, 9>(
      call, p, items, *reinterpret_cast<UnitSums *>(stages), thread)
      .run([&](int &unit, int &step) {
        if (thread == 0)
          meeting.wait(control.mergers, control.merger);
        Mergers::sync();
        step = control.mergers;
        bool isOther = unit != control.merger;
        unit = control.merger;
        return isOther;
      });
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90MERGE_H
