//===- AbsorbedSm90Gather.h - The warps that gather keys ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// With indices each key of a block lies elsewhere, and each token has keys of
// its own. Three warps copy them, some of a block's keys each, 16 bytes at a
// time and swizzled as TMA does it; keys that aren't there, or aren't seen,
// become zeros. One half of the columns comes first, so that products with it
// start. A stage's barriers wait for the copies themselves: no warp waits for
// its own. The positions of a block are asked for two blocks ahead, their pages
// one.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHER_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90GATHER_H

#include "sm90/AbsorbedSm90GatherWalk.h"
#include "sm90/AbsorbedSm90Load.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// The positions and the pages of a warp's keys of an item's blocks, a key a
/// lane.
class GatheredKeys {
public:
  __device__ GatheredKeys(const AbsorbedCall &call, const AbsorbedParams &p,
                          const Item &item, int warp)
      : call(call), p(p), batch(item.batch), token(item.token),
        mostSeen(item.mostSeen), blockEnd(item.blockEnd),
        key(warp * warpKeys + threadIdx.x % 32),
        isOwn(key < warp * warpKeys + keysOfWarp(warp)) {
    ask(item.blockBegin);
    find();
    ask(item.blockBegin + 1);
  }

  /// Where the lane's key of the block lies; which of the warp's keys are seen,
  /// a bit each. From the item's first block on. Then goes on to the block
  /// behind, `next`.
  __device__ uint32_t take(int &pageOf, int &lineOf, int next) {
    bool isSeen = position >= 0, isThere = isSeen && call.isPage(page);
    if (isSeen && !isThere)
      bad = position;
    // Zeros are written in place of a row that isn't read.
    pageOf = isThere ? page : 0;
    lineOf = isThere ? call.lineOf(position) : 0;
    find();
    ask(next + 1);
    return __ballot_sync(~0u, isThere);
  }

  /// Records one of the pages so far that don't exist.
  __device__ void record() const {
    if (bad >= 0)
      call.pageExists(batch, bad, call.rawPage(batch, bad));
  }

private:
  /// Asks for the positions of a block.
  __device__ void ask(int block) {
    // Behind the last block numbers may be too large.
    int place = isOwn && block < blockEnd ? block * blockKeys + key : INT32_MAX;
    asked = place < p.topk ? static_cast<int>(loadInt(p.indices, token, place))
                           : -1;
  }
  /// Asks for the pages of the positions last asked for; position -1 of those
  /// that the token doesn't see.
  __device__ void find() {
    bool isSeen = asked >= 0 && asked < mostSeen;
    position = isSeen ? asked : -1;
    page = isSeen ? call.rawPage(batch, asked) : 0;
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  int batch, token, mostSeen, blockEnd;
  int key;    ///< The lane's, of a block.
  bool isOwn; ///< Whether that is one of the warp's.
  int asked, position, page;
  int bad = -1; ///< The last position that the lane met of a page that isn't.
};

template <int BoxesEach, bool HasPe>
class Gather : private Load<BoxesEach, HasPe> {
  using Shared = Layout<BoxesEach, HasPe>;
  using Loads = Load<BoxesEach, HasPe>;
  using Loads::base, Loads::call, Loads::control, Loads::maps, Loads::p;

public:
  using Loads::Loads;

  /// The warp's keys of all blocks.
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
      GatheredKeys keys(call, p, item, warp);
      __syncwarp();
      if (isElected())
        control.taken[place].arrive();
      for (; block < blockEnd; ++block, ++n) {
        int pageOf, lineOf;
        uint32_t seen = keys.take(pageOf, lineOf, block + 1);
        copyBlock(warp, pageOf, lineOf, seen, n);
      }
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
  /// Keys that a warp copies at once: eight lanes have a key's row of a box.
  static constexpr int keysAtOnce = 4;
  static constexpr int mostSteps = warpKeys / keysAtOnce;
  static constexpr int leastSteps = keysOfWarp(gatherWarps - 1) / keysAtOnce;

  /// Copies the warp's keys of a block, the CTA's `n`-th, once what was in
  /// their place is done with.
  __device__ void copyBlock(int warp, int pageOf, int lineOf, uint32_t seen,
                            int n) {
    int stage = n % numStages;
    uint32_t before = ~(n / numStages) & 1;
    int unit = threadIdx.x % 8, key = threadIdx.x % 32 / 8;
    int first = warp * warpKeys;
    bool isLonger = warp + 1 < gatherWarps;
    // Of the warp's keys in steps, from the one on that is the lanes' own.
    uint32_t isThere = seen >> key;
    uint32_t to = base + Shared::stages + stage * Shared::stageBytes;
    // Keys of a step are four behind those of the one before: units are
    // swizzled in one of two ways.
    uint32_t places[] = {to + swizzledUnit(first + key, unit),
                         to + swizzledUnit(first + key + keysAtOnce, unit)};
    auto copy = [&](int step, const char *from, int box) {
      bool wanted = step < leastSteps || isLonger;
      uint32_t at = places[step % 2] + box * boxBytes +
                    step / 2 * 2 * keysAtOnce * boxRowBytes;
      copyAsyncIf(wanted, at, from, isThere >> step * keysAtOnce & 1);
    };
    auto rowsOf = [&](const char *(&rows)[mostSteps], const Tensor<3> &cache) {
      auto row = reinterpret_cast<uint64_t>(cache.at(pageOf, lineOf));
#pragma unroll
      for (int step = 0; step < mostSteps; ++step)
        rows[step] = reinterpret_cast<const char *>(
            __shfl_sync(~0u, row, step * keysAtOnce + key) + unit * 16);
    };
    const char *rows[mostSteps];
    rowsOf(rows, p.latent);
    Barrier *full = control.full[stage];
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      control.empty[stage][side].wait(before);
      // Who read what was told of the keys before has done so, too.
      if (side == 0 && isElected()) {
        control.seen[stage][warp] = seen;
        full[0].arrive();
      }
      __syncwarp();
#pragma unroll
      for (int step = 0; step < mostSteps; ++step)
#pragma unroll
        for (int i = 0; i < BoxesEach; ++i) {
          int box = side * BoxesEach + i;
          copy(step, rows[step] + box * boxRowBytes, box);
        }
      full[side].arriveAfterCopies();
    }
    if constexpr (HasPe) {
      rowsOf(rows, p.pe);
      if (unit * 8 >= p.peWidth)
        isThere = 0;
#pragma unroll
      for (int step = 0; step < mostSteps; ++step)
        copy(step, rows[step], Shared::valueBoxes);
      full[2].arriveAfterCopies();
    }
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
