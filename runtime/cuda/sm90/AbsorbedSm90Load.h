//===- AbsorbedSm90Load.h - The warps that load ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Two warps copy keys by TMA, each the half of the columns that one group of
// warps multiplies as values: neither half waits for the other. The pe part
// belongs to the second; its box waits for both. The other two warps find the
// items, and load the query's rows: by TMA too where those of all tokens are
// equally far apart, else row by row.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90LOAD_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90LOAD_H

#include "Launch.h"
#include "sm90/AbsorbedSm90Walk.h"

namespace mla {
namespace cuda {
namespace sm90 {

/// The pages of an item's keys: a warp keeps 64 numbers, and fetches the next
/// 32 long before they are needed.
class Pages {
public:
  __device__ Pages(const AbsorbedCall &call, const AbsorbedParams &p,
                   const Item &item)
      : call(call), p(p), batch(item.batch), lane(threadIdx.x % 32) {
    int keys = min(item.mostSeen, item.blockEnd * blockKeys);
    count = keys > 0 ? call.logicalPage(keys - 1) + 1 : 0;
    base = call.logicalPage(item.blockBegin * blockKeys);
    now = load(base);
    next = load(base + 32);
  }

  /// Goes on to the page `index`, which doesn't fall and grows by less than 32.
  __device__ void moveTo(int index) {
    if (index < base + 32)
      return;
    base += 32;
    now = next;
    next = load(base + 32);
  }
  /// Page `index` of the sequence, as TMA is to be given it: at most 32 behind
  /// the one last moved to.
  __device__ int at(int index) const {
    int place = index - base;
    return __shfl_sync(~0u, place < 32 ? now : next, place);
  }

  /// Records one of the pages so far that don't exist.
  __device__ void record() const {
    if (bad >= 0)
      call.pageExists(batch, bad * p.pageSize, badPage);
  }

private:
  __device__ int load(int first) {
    int index = first + lane;
    if (index >= count)
      return 0;
    int page = call.rawPage(batch, index * p.pageSize);
    if (call.isPage(page))
      return page;
    bad = index, badPage = page;
    // Beyond the cache TMA finds zeros.
    return static_cast<int>(p.numPages);
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  int batch, lane, count, base, now, next;
  int bad = -1, badPage = 0; ///< That the lane met.
};

/// Waits until `*ready` is 1, and makes it 0 again.
__device__ inline void takeReady(int32_t *ready) {
  int32_t value;
  do
    asm volatile("ld.acquire.gpu.global.b32 %0, [%1];"
                 : "=r"(value)
                 : "l"(ready)
                 : "memory");
  while (value == 0);
  *ready = 0;
}

template <int BoxesEach, bool HasPe> class Load {
  using Shared = Layout<BoxesEach, HasPe>;

public:
  __device__ Load(const AbsorbedCall &call, const AbsorbedParams &p,
                  const CacheMaps &maps, char *shared)
      : call(call), p(p), maps(maps), base(sharedAddress(shared)),
        control(*reinterpret_cast<Control *>(shared + Shared::control)) {}

  /// A half of the keys' columns.
  __device__ void loadKeys(int side) {
    fetchEarly(p);
    if (maps.queryRows < tileRows)
      clearQuery();
    waitForBarriers();
    int n = 0;                // blocks that the CTA had before
    int other = -1, rows = 0; // of the last item
    for (int i = 0;; ++i) {
      int place = i % numPlaces;
      control.known[place].wait(i / numPlaces & 1);
      const Item &item = control.items[place];
      if (item.isEnd) {
        if (side == 0 && letsNextStartEarly())
          letNextStart();
        if (side == 0 && other >= 0)
          fetchOther(slotAt(p.slots, other), rows);
        return;
      }
      other = item.other, rows = item.rows;
      Pages pages(call, p, item);
      int blockBegin = item.blockBegin, blockEnd = item.blockEnd;
      int mostSeen = item.mostSeen;
      bool isPaired = item.isPaired;
      __syncwarp();
      if (isElected())
        control.taken[place].arrive();
      // Of a page each.
      auto pieces = [&](int block) {
        int keys = min(mostSeen - block * blockKeys, blockKeys);
        return (keys + boxRows() - 1) / boxRows();
      };
      for (int block = blockBegin; block < blockEnd; ++block, ++n) {
        pages.moveTo(call.logicalPage(block * blockKeys));
        loadBlock(side, isPaired, pages, block, pieces(block), n);
        int later = block + numStages;
        if (isPaired && clusterRank() == side && later < blockEnd)
          prefetchBlock(side, pages, later, pieces(later));
      }
      pages.record();
    }
  }

  /// Finds the items, and loads the rows of the query.
  __device__ void loadQueries() {
    Walk walk(call, p);
    waitForBarriers();
    walk.begin();
    int thread = threadIdx.x % queryThreads;
    for (int i = 0;; ++i) {
      Item item = {};
      bool exists = walk.next(item);
      int place = i % numPlaces;
      if (thread == 0) {
        // Items without blocks may be many, and wait for nobody's keys.
        control.taken[place].wait(~(i / numPlaces) & 1);
        control.items[place] = item;
        control.known[place].arrive();
      }
      int numRows = item.blocks() > 0 ? item.rows : 0;
      control.queryEmpty.wait(~i & 1);
      if (maps.queryRows > 0 && thread < 32)
        startQuery(item.token * p.heads + item.head, numRows);
      if (exists)
        setRow(place, walk.seq, item, thread);
      if (maps.queryRows == 0 && numRows > 0) {
        syncThreads(QueryBarrier, queryThreads);
        copyQuery(thread, numRows, control.queryRows[i % 2]);
      }
      control.queryFull.arrive();
      if (!exists)
        return;
    }
  }

protected:
  /// Of a box of keys: a page's, or a block's where pages are longer.
  __device__ int boxRows() const { return min(p.pageSize, blockKeys); }

  /// Copies so many rows of the state that the last item takes to where the
  /// stages were, once they are done with.
  __device__ void fetchOther(const char *state, int rows) {
    constexpr StateSlot layout = Shared::state();
    int bytes = (rows + unitRows - 1) / unitRows * layout.eightBytes();
    control.otherEmpty.wait(0);
    if (!isElected())
      return;
    takeReady(p.ready + blockIdx.x);
    fenceGlobalReads();
    control.otherFull.arriveExpecting(2 * bytes);
    for (int at = 0; bytes > 0 && at < 2 * layout.halfBytes();
         at += layout.halfBytes())
      copyLine(base + Shared::stages + at, state + at, bytes,
               control.otherFull);
  }

  /// Calls `copy` with the page, the first row in it, and the number of each
  /// piece of a block that lies in one page, from piece `begin` on.
  template <typename Copy>
  __device__ void forPieces(const Pages &pages, int block, int begin,
                            int pieces, Copy copy) {
#pragma unroll 1
    for (int i = begin; i < pieces; ++i) {
      int position = block * blockKeys + i * boxRows();
      int page = pages.at(call.logicalPage(position));
      if (isElected())
        copy(page, call.lineOf(position), i);
      __syncwarp();
    }
  }

  /// Half of block `block`'s columns, in `pieces` of a page: boxes with a
  /// barrier each. It is the CTA's `n`-th block.
  __device__ void loadBlock(int side, bool isPaired, const Pages &pages,
                            int block, int pieces, int n) {
    int stage = n % numStages;
    uint32_t before = ~(n / numStages) & 1;
    int bytes = boxRows() * boxRowBytes;
    uint32_t to = base + Shared::stages + stage * Shared::stageBytes;
    Barrier *full = control.full[stage] + side * BoxesEach;
    bool loads = !isPaired || clusterRank() == side;
    int position = block * blockKeys;
    int firstPage = pages.at(call.logicalPage(position));
    int firstLine = call.lineOf(position);
    auto copy = [&](int page, int line, int piece) {
      uint32_t at = to + side * BoxesEach * boxBytes + piece * bytes;
      if (isPaired)
#pragma unroll
        for (int i = 0; i < BoxesEach; ++i)
          copyBoxToBoth(at + i * boxBytes, maps.latent,
                        (side * BoxesEach + i) * boxColumns, line, page,
                        full[i]);
      else
#pragma unroll
        for (int i = 0; i < BoxesEach; ++i)
          copyBox(at + i * boxBytes, maps.latent,
                  (side * BoxesEach + i) * boxColumns, line, page, full[i]);
    };
    if (isElected()) {
#pragma unroll
      for (int i = 0; i < BoxesEach; ++i) {
        // The bytes are not to be those of the block before.
        full[i].wait(before);
        full[i].arriveExpecting(pieces * bytes);
      }
      // All else is done before the release: a group waits for these boxes.
      if (loads) {
        control.empty[stage][side].wait(before);
        copy(firstPage, firstLine, 0);
      }
    }
    __syncwarp();
    if (loads)
      forPieces(pages, block, 1, pieces, copy);
    if (!HasPe || side == 0)
      return;
    constexpr int box = Shared::valueBoxes;
    control.peEmpty[stage].wait(before);
    if (isElected())
      control.full[stage][box].arriveExpecting(pieces * bytes);
    __syncwarp();
    forPieces(pages, block, 0, pieces, [&](int page, int line, int piece) {
      copyBox(to + box * boxBytes + piece * bytes, maps.pe, 0, line, page,
              control.full[stage][box]);
    });
  }

  /// Fetches the same half of a later block to L2. Of paired CTAs each does it
  /// with what it loads for both: there it gains 4 %, and it costs 6 to 20 %
  /// where a CTA has the keys for itself.
  __device__ void prefetchBlock(int side, const Pages &pages, int block,
                                int pieces) {
    forPieces(pages, block, 0, pieces, [&](int page, int line, int) {
#pragma unroll
      for (int i = 0; i < BoxesEach; ++i)
        prefetchBox(maps.latent, (side * BoxesEach + i) * boxColumns, line,
                    page);
      if (HasPe && side == 1)
        prefetchBox(maps.pe, 0, line, page);
    });
  }

  /// A row of the tile, for this thread.
  __device__ void setRow(int place, const Sequence &seq, const Item &item,
                         int row) {
    Rows &rows = control.rows[place];
    bool exists = row < item.rows;
    auto heads = static_cast<unsigned>(p.heads);
    unsigned at = item.head + row, tokens = at / heads;
    int t = item.token + static_cast<int>(tokens);
    int h = static_cast<int>(at - tokens * heads);
    rows.token[row] = exists ? t : -1;
    rows.head[row] = h;
    rows.bound[row] = exists ? call.visible(seq, t) : 0;
    if (maps.queryRows == 0)
      control.queryRows[place % 2][row] =
          exists ? p.query.at(t, h) : p.query.data;
  }

  /// Starts copying rows from row `first` of all on, by a warp. Those beyond
  /// the tile's last become whatever follows: what is made of them is dropped.
  __device__ void startQuery(int first, int numRows) {
    int each = maps.queryRows, bytes = each * boxRowBytes;
    int boxes = (numRows + each - 1) / each * Shared::keyBoxes;
    int lane = threadIdx.x % 32;
    if (lane == 0)
      control.queryFull.expect(boxes * bytes);
    __syncwarp();
#pragma unroll 1
    for (int i = lane; i < boxes; i += 32) {
      int part = i / Shared::keyBoxes, box = i % Shared::keyBoxes;
      copyBox(base + Shared::query + box * boxBytes + part * bytes, maps.query,
              box * boxColumns, first + part * each, 0, control.queryFull);
    }
  }

  /// What startQuery() may never write is not to slow the others down: not a
  /// number would, though it stays in its row.
  __device__ void clearQuery() {
    constexpr int units = Shared::keyBoxes * boxBytes / 16;
    uint32_t to = base + Shared::query;
#pragma unroll 4
    for (int i = threadIdx.x; i < units; i += 32 * keyWarps)
      asm volatile("st.shared.v4.b32 [%0], {%1, %1, %1, %1};"
                   :
                   : "r"(to + i * 16), "r"(0)
                   : "memory");
    fenceSharedWrites();
  }

  /// Rows beyond the tile's last become zeros, and so do columns beyond the pe
  /// part's.
  __device__ void copyQuery(int thread, int numRows, const char *const *rows) {
    constexpr int units = Shared::valueBoxes * 8; // Of 16 bytes, of the latent.
    constexpr int rowsAtOnce = queryThreads / units;
    uint32_t to = base + Shared::query;
    int unit = thread % units;
#pragma unroll 4
    for (int row = thread / units; row < tileRows; row += rowsAtOnce)
      copyAsync(to + unit / 8 * boxBytes + swizzledUnit(row, unit % 8),
                rows[row] + unit * 16, row < numRows);
    if constexpr (HasPe) {
      unit = thread % 8;
      bool isThere = unit * 8 < p.peWidth;
#pragma unroll 4
      for (int row = thread / 8; row < tileRows; row += queryThreads / 8)
        copyAsync(to + Shared::valueBoxes * boxBytes + swizzledUnit(row, unit),
                  rows[row] + (isThere ? units + unit : 0) * 16,
                  isThere && row < numRows);
    }
    commitCopies();
    waitForCopies<0>();
    fenceSharedWrites();
  }

  const AbsorbedCall &call;
  const AbsorbedParams &p;
  const CacheMaps &maps;
  uint32_t base;
  Control &control;
};

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90LOAD_H
