//===- AttentionSplit.h - How attention is spread over the GPU ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The rows of a sequence are its (token, head) pairs, heads first, and are cut
// into row tiles; its keys are cut into blocks. `lanes` row tiles of a sequence
// make an item; they are worked on side by side, because they read the same
// keys. All items' blocks in a line are cut into `parts` of equal cost. A block
// of threads (CTA) is one lane of one part: it has at most one tile whose
// beginning and one whose end other parts have. Those leave partial states,
// which a second kernel merges (FlashDecoding).
//
// The cut depends on the lengths, the shapes and the number of CTAs alone: so
// do the results' bits.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H
#define MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H

#include "State.h"
#include "Tensor.h"

namespace mla {
namespace cuda {

/// Keys of a block.
constexpr int blockKeys = 64;
/// Rows of a tile, and columns of an output, that scratch has room for.
constexpr int maxTileRows = 64;
constexpr int maxSlotColumns = 512;
/// Sequences that a call without a schedule can have.
constexpr int64_t maxScheduledSeqs = 65536;

/// Elements of the i32 schedule; those between are 0.
enum ScheduleElement : int {
  ScheduleMagic = 0,
  ScheduleNumSeqs = 1,
  ScheduleNumHeads = 2,
  SchedulePageSize = 3,
  ScheduleNumCTAs = 4,
  ScheduleTileRows = 5,
  ScheduleLanes = 6,
  ScheduleParts = 7,
  ScheduleHeader = 8,     ///< How many those are.
  ScheduleStarts = 16,    ///< Sequence, item, block of each part; and an end.
  ScheduleLengths = 4096, ///< kv_lens[b], cu_q[b] for each b; then cu_q[B].
};
constexpr int32_t scheduleMagic = 0x47414c4d; // "MLAG" in memory.
constexpr int maxParts = (ScheduleLengths - ScheduleStarts) / 3 - 1;

/// Where a part begins: blocks before it belong to the part before.
struct Cursor {
  int sequence, item, block;
};

/// A call's partial states and its schedule, in State::scratch.
struct AttentionScratch {
  explicit AttentionScratch(const State &state);
  int32_t *schedule;
  /// Slot s: maxTileRows x maxSlotColumns normalized sums, then a log2-sum-exp
  /// a row; what the Hopper kernel leaves is in AbsorbedSm90State.h. CTA c has
  /// the slots 2c, for the tile that it continues, and 2c + 1, for the tile
  /// that it leaves unfinished.
  float *slots;
  /// Of each CTA: 1 while a state waits in a slot for it, to be merged with its
  /// own; else 0.
  int32_t *ready;
};
constexpr int64_t slotFloats = maxTileRows * (maxSlotColumns + 1);

/// Bytes of State::scratch.
uint64_t attentionScratchBytes(const State &state);

/// CTAs that an attention has, and that its schedule is made for.
int attentionCTAs(mla_context &ctx);

/// Writes the schedule of `tileRows` rows a tile for kv_lens [B] and cu_q
/// [B+1].
mla_status enqueueSchedule(mla_context &ctx, const char *op,
                           const Tensor<1> &kvLens, const Tensor<1> &cuQ,
                           const Tensor<1> &schedule, int64_t numHeads,
                           int64_t pageSize, int tileRows);

#ifdef __CUDACC__

/// What of the split each CTA knows.
struct Split {
  Tensor<1> schedule; ///< Not used with indices.
  int tileRows;
  int numCTAs;
  /// With indices: each token is an item or more, of equally many blocks.
  bool indexed;
  int numTokens;   ///< Those of a sequence; no others have items.
  int indexBlocks; ///< Blocks of one token's indices.
  int rowTiles;    ///< Of one token's heads.

  /// Units of cost that a tile has beside its blocks: on an H100 its start and
  /// its end take as long as 3.3 to 4.8 blocks.
  static constexpr int tileCost = 4;

  /// Units by which parts may be longer, if so nearly all items are spared a
  /// merge.
  static constexpr int mergeCost = 4;

  /// Equal parts, but for rounding, of a line of all items' units.
  struct Cut {
    int64_t parts, total; ///< Parts, and units of all items.
    int tileCost;         ///< Units that an item has before its blocks.

    /// Where a part begins, in units.
    __device__ int64_t begin(int64_t part) const {
      return total / parts * part + total % parts * part / parts;
    }
  };

  /// Cuts `total` units of `count` items, `each` of an item where all are
  /// equal, else 0: into as many parts as there are CTAs for. Equal items are
  /// cut into equally many pieces each, if those are hardly longer: it spares
  /// nearly all a merge where there are fewer parts than CTAs, and all parts
  /// then have a start and an end, which needn't be counted.
  ///
  /// A part may be as small as a unit. One of k blocks takes
  ///
  ///   fill + k * block + its share of the merge,
  ///
  /// where a block takes 2 to 5 us on an H100, and the merge reads, on all
  /// multiprocessors together, 1 KiB a row of each part, and of other kernels
  /// than Hopper's 2: of 128 parts of 16 rows 4 MiB, about 1 us, of 66 parts of
  /// 128 rows 17 MiB, about 4 us. Half as many parts save half of that, and
  /// take as many blocks more as they had: by this model that is never worth
  /// it.
  static __device__ Cut cutItems(int64_t count, int64_t each, int64_t total,
                                 int most) {
    int64_t blocks = each - tileCost;
    if (count > 0 && count <= most && blocks > 0) {
      int64_t pieces = min(most / count, blocks);
      if ((blocks + pieces - 1) / pieces <= total / most + mergeCost)
        return {count * pieces, count * blocks, 0};
    }
    return {max(min(static_cast<int64_t>(most), total), int64_t(1)), total,
            tileCost};
  }

  __device__ int lanes() const {
    if (indexed)
      return min(min(rowTiles, maxLanes), numCTAs);
    return static_cast<int>(loadInt(schedule, ScheduleLanes));
  }
  /// What start() asks for. With indices, where all items are equal, it takes
  /// a while to work this out; else only the parts count.
  __device__ Cut cut() const {
    if (!indexed)
      return {loadInt(schedule, ScheduleParts), 0, 0};
    int64_t items =
        static_cast<int64_t>(numTokens) * itemsOf(rowTiles, lanes());
    int64_t each = indexBlocks + tileCost;
    return cutItems(items, each, items * each, max(numCTAs / lanes(), 1));
  }

  /// Where part `part` begins; the end of all for the one behind the last, and
  /// with indices for those behind.
  __device__ Cursor start(int part, const Cut &cut) const {
    if (!indexed) {
      int64_t at = ScheduleStarts + 3 * part;
      return {static_cast<int>(loadInt(schedule, at)),
              static_cast<int>(loadInt(schedule, at + 1)),
              static_cast<int>(loadInt(schedule, at + 2))};
    }
    int items = itemsOf(rowTiles, lanes());
    int64_t each = indexBlocks + cut.tileCost;
    int64_t at = cut.begin(min(static_cast<int64_t>(part), cut.parts));
    int64_t item = at / each;
    int block = max(static_cast<int>(at % each) - cut.tileCost, 0);
    return {static_cast<int>(item / items), static_cast<int>(item % items),
            block};
  }

  static __host__ __device__ int itemsOf(int rowTiles, int lanes) {
    return (rowTiles + lanes - 1) / lanes;
  }

  /// More side by side would leave too few parts to even out.
  static constexpr int maxLanes = 8;

  /// Row tiles that most of the sequences have, which are `tokens` tokens: what
  /// is worked on side by side.
  static __host__ __device__ int lanesOf(int64_t tokens, int64_t seqs,
                                         int64_t heads, int tileRows,
                                         int numCTAs) {
    if (seqs <= 0 || tokens <= 0)
      return 1;
    int64_t rows = (tokens + seqs - 1) / seqs * heads;
    int64_t tiles = (rows + tileRows - 1) / tileRows;
    int64_t most = numCTAs < maxLanes ? numCTAs : maxLanes;
    tiles = tiles < most ? tiles : most;
    return static_cast<int>(tiles > 1 ? tiles : 1);
  }
};

/// By bisection: the first number up to `last` that `isBehind` is true of, as
/// it then is of all that follow; `last` if it is of none before.
template <typename IsBehind>
__device__ inline int firstBehind(int last, IsBehind isBehind) {
  int low = 0;
  for (int high = last; low < high;) {
    int middle = (low + high) / 2;
    if (isBehind(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

__device__ inline bool operator<(const Cursor &a, const Cursor &b) {
  if (a.sequence != b.sequence)
    return a.sequence < b.sequence;
  if (a.item != b.item)
    return a.item < b.item;
  return a.block < b.block;
}

#endif // __CUDACC__

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H
