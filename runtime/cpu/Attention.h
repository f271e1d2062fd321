//===- Attention.h - Attention's tiles over the CPU's threads -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What absorbed and expanded attention share: the queries are cut into tiles;
// where that gives the threads too little to do (a decode step of few
// sequences), a tile's keys are split too, and the parts' states merged in
// their order (FlashDecoding; the merge is that of mla_merge_states). The cuts
// depend on the shapes, the lengths and the number of threads, so a result does
// too, and on nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_ATTENTION_H
#define MLA_RUNTIME_CPU_ATTENTION_H

#include "AttentionTile.h"
#include "Kernels.h"

namespace mla {
namespace cpu {

/// A tile of queries and a range of keys.
struct AttentionTask {
  int64_t sequence = 0;
  int64_t head = 0;                 ///< In expanded attention.
  int64_t rowBegin = 0, rowEnd = 0; ///< Numbers of queries.
  int64_t keyBegin = 0, keyEnd = 0; ///< Positions, or columns of the indices.
  int64_t length = 0;               ///< All keys of the sequence.
  int64_t tokensEnd = 0;            ///< Behind its last token.
  int64_t bound = 0;                ///< With indices: what the token sees.
  int64_t keyRow = 0;               ///< Of the key at position 0, in tensors.
  int64_t parts = 1;                ///< Of the tile; this is the first...
  int64_t part = 0;                 ///< ...plus this.
  int64_t state = 0;                ///< First row of its partial state.
};

/// One call: prepare() first, which adds the tiles; then those, on all threads
/// at once.
class Attention {
public:
  /// At most `maxTiles` tiles will be added. `o` is [T, H, width of a value],
  /// `lse` [T, H] or null.
  Attention(mla_context &ctx, const AttentionTile::Shape &shape,
            int64_t maxTiles, const mla_tensor *o, const mla_tensor *lse)
      : ctx(ctx), o(o), lse(lse), shape(shape), maxTiles(maxTiles) {}
  virtual ~Attention() = default;

  mla_status run();

protected:
  /// Reads the metadata, reports what is wrong with it, and adds the tiles. In
  /// order, on one thread: the first fault is the same whatever runs later.
  virtual void prepare() = 0;

  /// Writes query `row` times the softmax's scale.
  virtual void loadQuery(const AttentionTask &task, int64_t row,
                         float *out) const = 0;
  virtual float sinkOf(const AttentionTask &task, int64_t row) const = 0;
  /// Positions that `row` sees are below this. With indices: anything beyond
  /// their number.
  virtual int64_t boundOf(const AttentionTask &task, int64_t row) const = 0;
  /// Gives the tile at most `most` keys of the task, the first as its key
  /// `place`, from candidate `next` on, which moves behind them. Returns how
  /// many.
  virtual int64_t loadKeys(const AttentionTask &task, int64_t &next,
                           int64_t most, AttentionTile &tile,
                           int64_t place) const = 0;
  virtual void store(const AttentionTask &task, int64_t row, const float *o,
                     float lse) const = 0;

  void addTile(const AttentionTask &tile) { tasks[numTasks++] = tile; }
  /// Writes what token `t` gets in head `h`.
  void storeState(int64_t t, int64_t h, const float *sum, float logSum) const;
  /// o = 0 and lse = -infinity for the tokens [begin, end): what padding gets,
  /// and tokens of sequences whose offsets are unusable.
  void writeNothing(int64_t begin, int64_t end) const;

  mla_context &ctx;
  const View o, lse;
  const AttentionTile::Shape shape;

private:
  void split();
  void attend(const AttentionTask &task, AttentionTile &tile);
  void merge(const AttentionTask &first, int64_t row, float *sum);
  float *stateOf(int64_t row) { return states + row * stateStride(); }
  int64_t stateStride() const { return leadingDim(shape.value.width + 1); }

  const int64_t maxTiles;
  AttentionTask *tasks = nullptr;
  int64_t numTasks = 0;
  int64_t threads = 1;
  float *states = nullptr; ///< Rows of [o, lse].
};

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_ATTENTION_H
