//===- AbsorbedSm90GatherWalk.h - The items of a CTA, keys gathered -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With indices each token is an item or more, of equally many blocks: where
// parts begin is worked out, and no schedule is asked.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHERWALK_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHERWALK_H

#include "sm90/AbsorbedSm90Walk.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// The items of the CTA's part, from the last to the first. A warp walks
/// together.
class GatherWalk : private Walk {
public:
  /// Asks for what tells which tokens there are.
  __device__ GatherWalk(const AbsorbedCall &call, const AbsorbedParams &p)
      : Walk(call, p, 1), split(call.split()) {}

  /// Goes to the end of the part. To be called first.
  __device__ void begin() {
    start = at = end = {};
    lanes = split.lanes();
    int parts = split.parts();
    if (!header.isUsable() || real <= 0 || part() >= parts)
      return;
    // Each lane works out another one: to divide 64 bits takes long.
    Cursor own = split.start(max(part() - 1 + int(threadIdx.x % 4), 0));
    auto neighbour = [&](int i) {
      return Cursor{__shfl_sync(~0u, own.sequence, i),
                    __shfl_sync(~0u, own.item, i),
                    __shfl_sync(~0u, own.block, i)};
    };
    Cursor before = neighbour(0), behind = neighbour(3);
    start = neighbour(1), end = neighbour(2);
    // Both CTAs of a tile of two parts find the same.
    mayTell = part() + 1 < parts && end < behind && !startsWithin(behind, end);
    mayTake = part() > 0 && !(Cursor{start.sequence, start.item, 0} < before);
    at = end;
    if (at.sequence >= real)
      at = {static_cast<int>(real), 0, 0};
  }

  /// The next item; false at the end.
  __device__ bool next(Item &item) {
    while (start < at) {
      int blockEnd = at.block;
      if (blockEnd <= 0) {
        if (at.item <= 0) {
          at = {at.sequence - 1, Split::itemsOf(split.rowTiles, lanes), 0};
          continue;
        }
        --at.item;
        blockEnd = split.indexBlocks;
      }
      at.block = 0;
      int tile = at.item * lanes + lane();
      if (tile < split.rowTiles) {
        enter(item, tile * tileRows, blockEnd);
        return true;
      }
    }
    item.isEnd = true;
    return false;
  }

private:
  __device__ void enter(Item &item, int head, int blockEnd) {
    bool begins = !startsWithin(start, at), goesOn = startsWithin(end, at);
    setPlace(item, begins, goesOn);
    item.blockBegin = begins ? 0 : min(start.block, blockEnd);
    item.token = at.sequence;
    item.head = head;
    item.rows = min(p.heads - head, tileRows);
    item.mostSeen = arriveAt(item.token) ? call.visible(seq, item.token) : 0;
    item.batch = arrived;
    item.blockEnd = item.mostSeen > 0 ? blockEnd : item.blockBegin;
  }

  /// Where the item's state goes.
  __device__ void setPlace(Item &item, bool begins, bool goesOn) const {
    int cta = blockIdx.x;
    item.slot = begins && !goesOn ? -1 : 2 * cta + (begins ? 1 : 0);
    item.told = begins && goesOn && mayTell ? cta + lanes : -1;
    item.other = -1;
    if (!begins && !goesOn && mayTake) {
      item.slot = -1;
      item.other = 2 * (cta - lanes) + 1;
    }
  }

  /// Finds token `t`'s sequence. Where the offsets have none the item is there
  /// all the same, and sees nothing: that it is there may depend on nothing
  /// but `t`, as one CTA waits for another's part of it.
  __device__ bool arriveAt(int t) {
    if (has(t))
      return true;
    // What there is most often: a token of each.
    arrived = min(t, p.seqs - 1);
    if (arrived >= 0)
      seq = call.sequence(arrived);
    if (has(t))
      return true;
    arrived = call.sequenceOf(t);
    if (arrived >= 0)
      seq = call.sequence(arrived);
    return has(t);
  }
  __device__ bool has(int t) const {
    return arrived >= 0 && t >= seq.tokenBegin && t < seq.tokenEnd;
  }

  const Split split;
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHERWALK_H
