//===- AbsorbedSm90Merge.h - The merge by the attention's own CTAs --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Where tiles are split all CTAs meet once they have ended their items, and
// then merge the states that lie in the slots (AbsorbedMerge.h): a second
// kernel would have to start first, and to ask what there is to merge. That the
// loading warps ask, while the others work on the last item. A CTA that has
// nothing to merge waits for nobody.
//
// CTAs wait for each other here, whatever their numbers, and one that waits
// keeps its multiprocessor. Of two ordinary launches on two streams each could
// have some of the multiprocessors, and wait for ever for CTAs that need the
// others. So the launch is a cooperative one: it begins when the GPU can hold
// all its CTAs, and then has them all. Launches that are not cooperative end
// without it, also those that start early and wait for this one: they start
// when all its CTAs have.
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

/// A place where all CTAs of a launch meet, once: a counter in global memory
/// that needs nothing done to it between launches, whatever their sizes. All
/// together add 2^31.
class Meeting {
public:
  __device__ explicit Meeting(uint32_t *counter) : counter(counter) {}

  /// Arrives for the CTA, by one thread; none of its threads is to wait.
  __device__ void pass() const {
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;"
                 :
                 : "l"(counter), "r"(share())
                 : "memory");
  }
  /// Arrives for the CTA, by one thread: what it knows of is seen by those that
  /// wait.
  __device__ void arrive() {
    asm volatile("atom.release.gpu.global.add.u32 %0, [%1], %2;"
                 : "=r"(before)
                 : "l"(counter), "r"(share())
                 : "memory");
  }
  /// Waits for all CTAs, by the thread that arrived.
  __device__ void wait() const {
    uint32_t now;
    do
      asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"
                   : "=r"(now)
                   : "l"(counter)
                   : "memory");
    while (((now ^ before) & all) == 0);
  }

private:
  static constexpr uint32_t all = 1u << 31;
  __device__ static uint32_t share() {
    return blockIdx.x == 0 ? all - (gridDim.x - 1) : 1;
  }

  uint32_t *counter;
  uint32_t before = 0; ///< What the counter was.
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
  if (thread == 0)
    meeting.arrive();
  // A CTA that had no item has not said so yet.
  letNextStart();
  Merge<Mergers, SplitOutput<T>, mostVectors, 9>(
      call, p, items, *reinterpret_cast<UnitSums *>(stages), thread)
      .run([&] {
        if (thread == 0)
          meeting.wait();
      });
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90MERGE_H
