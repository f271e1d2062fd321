//===- AbsorbedSm90Gather.h - The warps that gather keys ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With indices each key of a block lies elsewhere, and each token has keys of
// its own. Three warps copy them, a third of the columns each, 16 bytes at a
// time and swizzled as TMA does it; keys that aren't there, or aren't seen,
// become zeros. A stage's barriers wait for the copies themselves: no warp
// waits for its own. The positions of a block are asked for two blocks ahead,
// their pages one.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHER_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHER_H

#include "sm90/AbsorbedSm90GatherWalk.h"
#include "sm90/AbsorbedSm90Load.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// Keys of a block that a lane looks up: that of its number, and the one 32
/// behind.
constexpr int laneKeys = blockKeys / 32;

/// The positions and the pages of an item's keys.
class GatheredKeys {
public:
  __device__ GatheredKeys(const AbsorbedCall &call, const AbsorbedParams &p,
                          const Item &item)
      : call(call), p(p), lane(threadIdx.x % 32), batch(item.batch),
        token(item.token), mostSeen(item.mostSeen), blockEnd(item.blockEnd) {
    ask(item.blockBegin);
    find();
    ask(item.blockBegin + 1);
  }

  /// Where the lane's keys of the block lie, and which of the block's keys are
  /// seen, a bit each; from the item's first block on. Then goes on to the
  /// block behind, `next`.
  __device__ void take(int (&pageOf)[laneKeys], int (&lineOf)[laneKeys],
                       uint32_t (&seen)[laneKeys], int next) {
#pragma unroll
    for (int i = 0; i < laneKeys; ++i) {
      bool isSeen = position[i] >= 0;
      bool isThere = isSeen && call.isPage(page[i]);
      if (isSeen && !isThere)
        bad = position[i];
      seen[i] = __ballot_sync(~0u, isThere);
      // Zeros are written in place of a row that isn't read.
      pageOf[i] = isThere ? page[i] : 0;
      lineOf[i] = isThere ? call.lineOf(position[i]) : 0;
    }
    find();
    ask(next + 1);
  }

  /// Records one of the pages so far that don't exist.
  __device__ void record() const {
    if (bad >= 0)
      call.pageExists(batch, bad, call.rawPage(batch, bad));
  }

private:
  /// Asks for the positions of a block.
  __device__ void ask(int block) {
#pragma unroll
    for (int i = 0; i < laneKeys; ++i) {
      asked[i] = -1;
      // Behind the last block numbers may be too large.
      if (block >= blockEnd)
        continue;
      int place = block * blockKeys + i * 32 + lane;
      if (place < p.topk)
        asked[i] = static_cast<int>(loadInt(p.indices, token, place));
    }
  }
  /// Asks for the pages of the positions last asked for; -1 of those that the
  /// token doesn't see.
  __device__ void find() {
#pragma unroll
    for (int i = 0; i < laneKeys; ++i) {
      bool isSeen = asked[i] >= 0 && asked[i] < mostSeen;
      position[i] = isSeen ? asked[i] : -1;
      page[i] = isSeen ? call.rawPage(batch, asked[i]) : 0;
    }
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  int lane, batch, token, mostSeen, blockEnd;
  int asked[laneKeys], position[laneKeys], page[laneKeys];
  int bad = -1; ///< The last position that the lane met of a page that isn't.
};

template <int BoxesEach, bool HasPe>
class Gather : private Load<BoxesEach, HasPe> {
  using Shared = Layout<BoxesEach, HasPe>;
  using Loads = Load<BoxesEach, HasPe>;
  using Loads::base, Loads::call, Loads::control, Loads::maps, Loads::p;

public:
  using Loads::Loads;

  /// A third of the keys' columns.
  __device__ void loadKeys(int warp) {
    if (warp < keyWarps) {
      fetchEarly(p);
      if (maps.queryRows < tileRows)
        this->clearQuery();
    }
    waitForBarriers();
    int n = 0;                // blocks that the CTA had before
    int other = -1, rows = 0; // of the last item
    for (int i = 0;; ++i) {
      int place = i % numPlaces;
      control.known[place].wait(i / numPlaces & 1);
      const Item &item = control.items[place];
      if (item.isEnd)
        break;
      other = item.other, rows = item.rows;
      int block = item.blockBegin, blockEnd = item.blockEnd;
      GatheredKeys keys(call, p, item);
      __syncwarp();
      if (isElected())
        control.taken[place].arrive();
      for (; block < blockEnd; ++block, ++n) {
        int pageOf[laneKeys], lineOf[laneKeys];
        uint32_t seen[laneKeys];
        keys.take(pageOf, lineOf, seen, block + 1);
        copyBlock(warp, pageOf, lineOf, seen, n);
      }
      if (warp == seenWarp)
        keys.record();
    }
    if (warp == 0 && letsNextStartEarly())
      letNextStart();
    // A warp isn't to end before its copies.
    commitCopies();
    waitForCopies<0>();
    if (warp == 0 && other >= 0)
      this->fetchOther(slotAt(p.slots, other), rows);
  }

  /// Finds the items, and loads the rows of the query: by one warp.
  __device__ void loadQueries() {
    GatherWalk walk(call, p);
    waitForBarriers();
    walk.begin();
    int lane = threadIdx.x % 32;
    for (int i = 0;; ++i) {
      Item item = {};
      bool exists = walk.next(item);
      int place = i % numPlaces;
      if (lane == 0) {
        control.taken[place].wait(~(i / numPlaces) & 1);
        control.items[place] = item;
        control.known[place].arrive();
      }
      control.queryEmpty.wait(~i & 1);
      if (item.blocks() > 0)
        startQuery(item.token, item.head);
      if (exists)
        for (int row = lane; row < tileRows; row += 32)
          setRow(control.rows[place], item, row);
      control.queryFull.arrive();
      if (!exists)
        return;
    }
  }

private:
  /// Boxes of a warp: the last one's end with the pe part.
  static constexpr int boxesOfWarp = 3;
  static_assert(Shared::valueBoxes == gatherWarps * boxesOfWarp - 1,
                "the latent's boxes and the pe part's");

  /// Copies the warp's columns of a block, the CTA's `n`-th, once those that
  /// were in their place are done with.
  __device__ void copyBlock(int warp, const int (&pageOf)[laneKeys],
                            const int (&lineOf)[laneKeys],
                            const uint32_t (&seen)[laneKeys], int n) {
    int stage = n % numStages;
    uint32_t before = ~(n / numStages) & 1;
    int firstBox = warp * boxesOfWarp;
    bool isLast = warp == gatherWarps - 1;
    // Where the warp's first box has its columns of the keys that the lane
    // looked up, and where its last box has them.
    uint64_t first[laneKeys], last[laneKeys];
#pragma unroll
    for (int i = 0; i < laneKeys; ++i) {
      const char *row = p.latent.at(pageOf[i], lineOf[i]);
      first[i] = reinterpret_cast<uint64_t>(row + firstBox * boxRowBytes);
      last[i] = first[i] + (boxesOfWarp - 1) * boxRowBytes;
      if (HasPe && isLast)
        last[i] = reinterpret_cast<uint64_t>(p.pe.at(pageOf[i], lineOf[i]));
    }
    if (warp <= seenWarp)
      control.empty[stage][0].wait(before);
    if (warp >= seenWarp)
      control.empty[stage][1].wait(before);
    if (HasPe && isLast)
      control.peEmpty[stage].wait(before);
    Barrier &full = control.full[stage][warp];
    if (warp == seenWarp && isElected()) {
      for (int i = 0; i < laneKeys; ++i)
        control.seen[stage][i] = seen[i];
      full.arrive();
    }
    __syncwarp();
    // Eight lanes have a key's row of a box, and a warp four keys.
    int unit = threadIdx.x % 8, key = threadIdx.x % 32 / 8;
    bool isWithin = !isLast || unit * 8 < p.peWidth;
    uint32_t to = base + Shared::stages + stage * Shared::stageBytes +
                  firstBox * boxBytes;
#pragma unroll
    for (int i = 0; i < laneKeys; ++i)
#pragma unroll
      for (int j = 0; j < 32; j += 4) {
        uint64_t from = __shfl_sync(~0u, first[i], j + key) + unit * 16;
        uint64_t lastFrom = __shfl_sync(~0u, last[i], j + key) + unit * 16;
        bool isThere = seen[i] >> j >> key & 1;
        uint32_t at = to + swizzledUnit(i * 32 + j + key, unit);
#pragma unroll
        for (int box = 0; box < boxesOfWarp - 1; ++box)
          copyAsync(at + box * boxBytes,
                    reinterpret_cast<const char *>(from) + box * boxRowBytes,
                    isThere);
        copyAsyncIf(HasPe || !isLast, at + (boxesOfWarp - 1) * boxBytes,
                    reinterpret_cast<const char *>(lastFrom),
                    isThere && isWithin);
      }
    full.arriveAfterCopies();
  }

  /// A row of an item's tile: a head of its token.
  __device__ static void setRow(Rows &rows, const Item &item, int row) {
    rows.token[row] = row < item.rows ? item.token : -1;
    rows.head[row] = item.head + row;
  }

  /// Starts copying the heads from `head` on of a token. Beyond the last one
  /// there are zeros.
  __device__ void startQuery(int token, int head) {
    int lane = threadIdx.x % 32;
    if (lane == 0)
      control.queryFull.expect(Shared::keyBoxes * maps.queryRows * boxRowBytes);
    __syncwarp();
    if (lane < Shared::keyBoxes)
      copyBox(base + Shared::query + lane * boxBytes, maps.query,
              lane * boxColumns, head, token, control.queryFull);
  }
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHER_H
