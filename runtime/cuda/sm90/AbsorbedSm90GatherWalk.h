//===- AbsorbedSm90GatherWalk.h - The items of a CTA, keys gathered -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With indices each token is an item or more, of equally many blocks: where
// parts begin is worked out, and no schedule is asked. Only real tokens count:
// of a graph that is recorded for more, all CTAs have work still, and bits
// don't depend on the padding. How many there are is known on the device alone,
// so the division of parts is too.
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
class GatherWalk {
public:
  /// Asks for what tells which tokens there are.
  __device__ GatherWalk(const AbsorbedCall &call, const AbsorbedParams &p)
      : call(call), p(p), header(p, p.schedule), count(loadInt(p.cuQ, p.seqs)) {
  }

  /// Goes to the end of the part. To be called first.
  __device__ void begin() {
    start = at = end = {};
    split = call.split(call.realTokensUnchecked(count));
    lanes = split.lanes();
    Split::Cut cut = split.cut();
    int parts = static_cast<int>(cut.parts);
    if (!header.isUsable() || split.numTokens == 0 || part() >= parts)
      return;
    // Each lane works out another one: to divide 64 bits takes long.
    Cursor own = split.start(max(part() - 1 + int(threadIdx.x % 4), 0), cut);
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
  __device__ int part() const { return static_cast<int>(blockIdx.x) / lanes; }
  __device__ int lane() const { return static_cast<int>(blockIdx.x) % lanes; }

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
    // Further heads of the same token.
    if (t == arrivedFor)
      return isThere;
    arrivedFor = t;
    // What there is most often is a token of each. Of more a sequence is
    // believed only where the bisection finds it, as in the other kernels: of
    // offsets that aren't in order one that begins before `t` and ends behind
    // it may be another's.
    look(min(t, p.seqs - 1));
    isThere = isThere && seq.tokenEnd - seq.tokenBegin == 1;
    if (!isThere)
      look(call.sequenceOf(t));
    return isThere;
  }
  /// Whether sequence `b`, which may be -1, has the token asked for.
  __device__ void look(int b) {
    arrived = b;
    if (b >= 0)
      seq = call.sequence(b);
    isThere =
        b >= 0 && arrivedFor >= seq.tokenBegin && arrivedFor < seq.tokenEnd;
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  AbsorbedHeader header;
  int64_t count; ///< Of tokens that aren't padding, as cu_q has it.
  Split split;
  int lanes;
  Cursor start, at, end; ///< Items from `at` on were taken.
  /// A tile that this CTA begins and the next one ends, and the reverse.
  bool mayTell, mayTake;
  Sequence seq;         ///< Of the token,
  int arrived;          ///< its number, or -1,
  int arrivedFor = -1;  ///< and the token for which it was looked for.
  bool isThere = false; ///< Whether it has that.
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHERWALK_H
