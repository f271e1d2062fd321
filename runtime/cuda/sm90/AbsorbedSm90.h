//===- AbsorbedSm90.h - Absorbed attention of a CTA on Hopper -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What the warps of AbsorbedAttentionSm90.cu share.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90_H
#define MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90_H

#include "AbsorbedCall.h"
#include "ptx.h"
#include "sm90/AbsorbedSm90State.h"
#include "sm90/Barriers.h"
#include "sm90/TensorMap.h"
#include "sm90/Wgmma.h"

namespace mla {
namespace cuda {
namespace sm90 {

constexpr int tileRows = maxTileRows;
constexpr int groupThreads = 128; ///< Of a warpgroup.
/// A warpgroup that loads, and two that multiply.
constexpr int numThreads = 3 * groupThreads;
/// Registers of a thread that multiplies, and of one that loads; to gather
/// keys takes more.
constexpr int manyRegisters(bool gathers) { return gathers ? 216 : 224; }
constexpr int fewRegisters(bool gathers) { return gathers ? 72 : 56; }
/// Warps of the first that load keys: one a half of the columns. The others
/// find the items and load the query.
constexpr int keyWarps = 2;
constexpr int queryThreads = groupThreads - 32 * keyWarps;
/// Of keys that are gathered: warps that copy so many of a block each, the last
/// one what is left. The fourth warp finds the items and loads the query.
constexpr int gatherWarps = 3;
constexpr int warpKeys = 24;
constexpr int keysOfWarp(int warp) {
  return warp + 1 < gatherWarps ? warpKeys : blockKeys - warp * warpKeys;
}
constexpr int numStages = 2;
constexpr int mostKeyBoxes = maxSlotColumns / boxColumns + 1;
constexpr int groupWarps = groupThreads / 32;

/// Named barriers; 0 is __syncthreads'.
enum : int { GroupBarrier = 1, BothGroupsBarrier = 3, QueryBarrier = 4 };

/// The caches and the query, as TMA reads them.
struct CacheMaps {
  CUtensorMap latent, pe;
  /// All (token, head) pairs in a line.
  CUtensorMap query;
  int queryRows; ///< Of a box of the query; 0: it has no map.
};

/// A tile of rows and its keys' blocks, as those that multiply see it.
struct Item {
  bool isEnd; ///< There is no further item.
  /// The other CTA of the cluster has the same blocks: each loads half of them
  /// for both.
  bool isPaired;
  int rows;                 ///< 0: those of the other CTA alone are real.
  int batch;                ///< Its sequence.
  int token, head;          ///< Of the first row.
  int blockBegin, blockEnd; ///< Blocks of keys that a row sees.
  int mostSeen, leastSeen;  ///< Bounds of the positions that rows see.
  int slot;                 ///< For the state; -1: the item ends in the output.
  /// CTA that is told when the state is in the slot; -1: none.
  int told;
  /// Slot of the tile's first part, which is merged with this one, its last;
  /// -1: there is none.
  int other;

  __device__ int blocks() const { return blockEnd - blockBegin; }
};

/// What is kept of the rows of an item.
struct Rows {
  int token[tileRows]; ///< -1: none.
  int head[tileRows];
  int bound[tileRows];    ///< Of the positions that it sees.
  float sum[2][tileRows]; ///< Of the weights that either group computed.
};

/// Of a block of keys and a row: what weights are relative to, log2, and what
/// the sums before it are to be multiplied by.
struct alignas(8) Reference {
  float value, factor;
};

/// Places of items. While the groups end one, the next one's query may be there
/// and the one after that be known.
constexpr int numPlaces = 4;

/// Shared memory beside the boxes.
struct Control {
  Barrier full[numStages][mostKeyBoxes]; ///< A box of keys is there.
  /// The columns that a group of warps multiplies as values are done with: in
  /// both CTAs where those are paired, in the one that loads them.
  Barrier empty[numStages][2];
  Barrier peEmpty[numStages]; ///< A stage's weights are, of keys in a line.
  Barrier weights[numStages]; ///< The weights of a stage's keys are there.
  Barrier turn;               ///< The second group's product may begin.
  Barrier known[numPlaces];   ///< An item is.
  Barrier taken[numPlaces];   ///< It was read by those who load its keys.
  Barrier queryFull, queryEmpty;
  /// Where the state lies that the CTA's last item takes.
  Barrier otherFull, otherEmpty;
  Item items[numPlaces];
  Rows rows[numPlaces];
  Reference references[numStages][tileRows]; ///< Of the stages' blocks.
  const char *queryRows[2][tileRows];        ///< Of this item and of the next.
  /// Of a stage's gathered keys: which of a warp's the tile's rows see, a bit
  /// each.
  uint32_t seen[numStages][gatherWarps];

  /// By one thread, before a barrier of all. Of gathered keys a stage has a
  /// barrier for each half of the values' columns and one for the pe part, at
  /// which all lanes arrive that copy, and at the first who says what is seen.
  template <bool Gathers> __device__ void initBarriers() {
    for (int i = 0; i < numStages; ++i) {
      for (Barrier &barrier : full[i])
        barrier.init(Gathers ? gatherWarps * (32 + (&barrier == full[i])) : 1);
      for (Barrier &barrier : empty[i])
        barrier.init(groupWarps * clusterSize());
      peEmpty[i].init(2 * groupWarps);
      weights[i].init(groupWarps);
    }
    for (Barrier &barrier : known)
      barrier.init(1);
    for (Barrier &barrier : taken)
      barrier.init(Gathers ? gatherWarps : keyWarps);
    turn.init(groupWarps);
    otherFull.init(1);
    otherEmpty.init(2 * groupWarps);
    queryFull.init(Gathers ? 32 : queryThreads);
    queryEmpty.init(2 * groupWarps);
    Barrier::fenceInits();
  }
};

/// The pieces of shared memory. A stage has the boxes of a block of keys; the
/// box behind the latent's has its pe part and then, when that was multiplied,
/// its weights.
template <int BoxesEach, bool HasPe> struct Layout {
  static constexpr int valueBoxes = 2 * BoxesEach;
  static constexpr int keyBoxes = valueBoxes + HasPe;
  static constexpr int stageBytes = (valueBoxes + 1) * boxBytes;
  static constexpr int weights = valueBoxes * boxBytes; ///< In a stage.

  static constexpr int query = 0;
  static constexpr int stages = keyBoxes * boxBytes;
  static constexpr int control = stages + numStages * stageBytes;
  /// A tile's state lies where the stages were, once a CTA's last item needs
  /// them no more, as it does in a slot.
  __host__ __device__ static constexpr StateSlot state() {
    return {valueBoxes * boxColumns};
  }
  static_assert(2 * state().halfBytes() <= numStages * stageBytes);

  static constexpr int bytes = control + static_cast<int>(sizeof(Control));
};

/// Until the barriers of all CTAs of the cluster can be used. All threads call
/// it once.
__device__ inline void waitForBarriers() {
  if (clusterSize() > 1)
    syncCluster();
  else
    syncThreads(0, numThreads);
}
/// Whether what comes next may start once a warp of each CTA has asked for all
/// its keys: it then has the multiprocessors that end first, and waits for the
/// others. Of clusters that took up to 8 us longer; there it may when an item's
/// products have ended.
__device__ inline bool letsNextStartEarly() { return clusterSize() == 1; }

/// Whether the CTAs of a cluster are the lanes of a part.
__device__ inline bool arePaired(int lanes) {
  return lanes == 2 && clusterSize() == 2;
}

/// Where a 16-byte unit lies in its box.
__device__ inline int swizzledUnit(int row, int unit) {
  return row * boxRowBytes + ((unit ^ (row & 7)) * 16);
}

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_ABSORBEDSM90_H
