//===- AbsorbedMma.h - A CTA of absorbed attention ------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What a CTA does and has. The definitions are in files of their own, a part of
// the algorithm each: AbsorbedAttentionMma.cu includes them all and says how
// they go together.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDMMA_H
#define MLA_RUNTIME_CUDA_ABSORBEDMMA_H

#include "AbsorbedMmaLayout.h"

namespace mla {
namespace cuda {
namespace absorbed_mma {

/// `value`, of which the compiler no longer knows what it is: what depends on
/// it is worked out where it is used, and not kept in registers from block to
/// block.
__device__ inline int recompute(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

/// One CTA. `T` is what the tensor cores get of the latent.
///
/// `stage` is the address of a block's keys in shared memory, `index` which of
/// the two that is. A lane's part of S lies as mma leaves it (ptx.h):
/// s[m][n][i] of 16 rows m and 8 keys n.
template <typename T, Keys KeysAre> class AbsorbedMma {
public:
  static constexpr bool IsFp8 = KeysAre != Keys::Own;
  static constexpr bool HasScales = KeysAre == Keys::Fp8Scaled;
  using Shared = Layout<IsFp8>;

  __device__ AbsorbedMma(const AbsorbedParams &p, char *shared)
      : p(p), call(p), shared(shared),
        rows(*reinterpret_cast<Rows *>(shared + Shared::rows)),
        base(sharedAddress(shared)), thread(threadIdx.x) {
    recomputePlace();
  }

  /// Goes through the CTA's share of all sequences' blocks.
  __device__ void run();

  /// Records what is wrong with the sequences; last, because nobody waits for
  /// it.
  __device__ void check() const { call.checkSequences(); }

private:
  /// Of a warp: 32 rows and 32 keys.
  using Scores = float[2][4][4];
  /// 16 rows and 32 keys, of which all of the depth has been added up.
  using Logits = float[4][4];

  //===--- The course of a CTA: AbsorbedAttentionMma.cu -------------------===//

  /// Called at the beginning of each phase: no address of another phase stays
  /// in a register.
  __device__ void recomputePlace();

  /// Reads an element of where the CTA's part and the one behind it start; for
  /// each number of lanes, as long as that isn't known: thread 6 * (lanes - 1)
  /// + i has element i.
  __device__ int fetchStart() const;
  static constexpr int startsFetched = 6 * Split::maxLanes;

  /// Sequence `b`.
  __device__ Sequence sequence(int b) const;

  /// Attends with the CTA's tile of item `at`; false where there is no such
  /// item.
  __device__ bool enter(const Cursor &at);

  /// Attends with the tile's rows and the blocks [blockBegin, blockEnd);
  /// `begins` and `ends` say whether the tile's first and last are among them.
  __device__ void process(int blockBegin, int blockEnd, bool begins, bool ends);

  /// Adds one block.
  __device__ void attend(int block, uint32_t stage, int index);

  /// The first of the two rows whose weights the thread computes; the other is
  /// 8 further on.
  __device__ int ownRow() const {
    return rowHalf * 32 + depthHalf * 16 + lane / 4;
  }

  //===--- A tile's rows: AbsorbedMmaQuery.h ------------------------------===//

  /// Which rows they are, and what they see.
  __device__ void setRows(const Sequence &seq, int64_t numRows, int tile);

  /// Rows of the query that products read: the warps' halves that have any.
  __device__ int wantedRows() const { return (rowsHere + 31) / 32 * 32; }

  /// The query's rows in units of 16 bytes as they are, or (for fp8 keys)
  /// through registers.
  __device__ void loadQuery();
  __device__ void copyQuery(int to, int pitch, int begin, int width);

  /// A warp brings a row to f16: times the power of two that puts its largest
  /// magnitude into [2^7, 2^8). Pairs of columns take the places in which the
  /// fp8 keys' come out (Fragments::widen). A pe part that isn't fp8 gets the
  /// type that the keys' has, and keeps its order.
  __device__ void convertQuery();

  static constexpr int mostEighths = (maxLatent + maxPe + 255) / 256;

  /// `Eight` is what eight columns are loaded as. Of several rows all loads are
  /// under way before the first is used.
  template <typename Eight> __device__ void convertRows();
  template <typename Eight>
  __device__ void convertRow(int row, const Eight (&loaded)[mostEighths]);
  __device__ void widenEight(uint2 bytes, float (&values)[8]) const;
  __device__ void widenEight(uint4 words, float (&values)[8]) const;

  /// Words w of a step's eight go to w / 2 if even, else to 4 + w / 2: an
  /// eighth is half a step, and its words go to two pairs.
  __device__ void storeReordered(int row, int eighth, const float (&values)[8],
                                 float factor);
  __device__ void storePe(int row, int eighth, const float (&values)[8],
                          float factor);

  //===--- Copies of keys: AbsorbedMmaKeys.h ------------------------------===//

  /// Looks up the page of the thread's key of a block.
  __device__ void locate(int block);

  /// Copies what is small of the key that was located, and leaves the latent's
  /// units to copySome().
  __device__ void startCopies(int index);

  /// Copies up to `count` of the thread's units.
  __device__ void copySome(int count);

  /// Copies what is left, and ends the group of copies.
  __device__ void copyRest();

  //===--- S = Q K^T: AbsorbedMmaScores.h ---------------------------------===//

  /// S of the warp's 32 rows, 32 keys and half of the depth.
  __device__ void multiplyKeys(Scores &s, uint32_t stage);

  /// Adds the products of the steps [begin, end), an even number; each step's
  /// fragments are loaded during the one before. Rows are aligned to their
  /// pitch and begin with column 0, so that a step's units are found by
  /// exclusive or.
  template <typename U, bool KeysAreFp8, int QueryPitch, int KeyPitch>
  __device__ void multiplySteps(Scores &s, uint32_t query, uint32_t keys,
                                int begin, int end);
  __device__ void multiplyPe(Scores &s, uint32_t keys, int begin, int end);

  /// Brings the pe part's sums to the units of the latent's, which are added
  /// next.
  __device__ void toLatentUnits(Scores &s);

  /// With block scales: a key's sum is kept in units of the scale of the block
  /// of columns that is being added.
  __device__ void multiplyScaled(Scores &s, uint32_t stage, int begin, int end);

  /// Multiplies the lane's sums of one key.
  __device__ void multiplyKey(Scores &s, int n, int i, float factor);

  /// The keys' scales of a block of columns.
  __device__ const float *scalesOf(uint32_t stage, int block) const;

  /// Each of the two warps with one piece of S sends the other one half of the
  /// rows, and adds up the other half, into s[0].
  __device__ void addDepthHalves(Scores &s, uint32_t stage);

  //===--- P: AbsorbedMmaWeights.h ----------------------------------------===//

  /// Logits of the keys that are seen; -infinity of the others. Leaves the
  /// rows' maxima over the warp's keys in shared memory.
  __device__ void toLogits(Logits &s, int row, int block, int index);
  __device__ void hideUnseen(Logits &s, int row, int block, int index);

  /// Writes the weights for the second product; whether the sums so far must be
  /// rescaled. The maximum that logits are taken relative to follows the true
  /// one only when weights would exceed 2^growth: weights up to that lose
  /// nothing, and most blocks leave the sums alone.
  __device__ bool toWeights(Logits &s, int row);

  /// A weight of 0 doesn't keep a NaN away. What isn't finite of keys that some
  /// rows don't see becomes zero in the values: rows that see such a key got
  /// their NaN from its logit. (With indices all rows see the same keys, and
  /// those that they don't see are copied as zeros.)
  __device__ void dropNonFinite(int block, uint32_t stage);

  /// `word` with zeros for the elements that are no finite number.
  __device__ static uint32_t finiteParts(uint32_t word);

  //===--- O = O + P V: AbsorbedMmaValues.h -------------------------------===//

  /// Columns of the output that a warp has, in eights.
  __device__ int eighths() const;

  /// With block scales, of the block of columns that has the warp's: each key's
  /// scale relative to the largest one met so far, in which the sums are. The
  /// weights take it on.
  __device__ void scaleValues(uint32_t stage);

  /// Those relative scales, of the warp: a pair of keys each.
  __device__ uint32_t *keyScales() const;

  __device__ void multiplyValues(uint32_t stage, bool rescale);

  /// Of the first `M` sixteens of rows.
  template <int M>
  __device__ __forceinline__ void multiplyRows(uint32_t stage, int count,
                                               int first);
  template <int M>
  __device__ __forceinline__ void multiplyOwnValues(uint32_t stage, int step,
                                                    int count, int first,
                                                    const uint32_t (&a)[M][4]);

  /// A transposed pair of bytes is two columns of one key: the even columns of
  /// 16 make one product's, the odd ones the next one's.
  template <int M>
  __device__ __forceinline__ void multiplyFp8Values(uint32_t stage, int step,
                                                    int count, int first,
                                                    const uint32_t (&a)[M][4]);
  template <int M>
  __device__ void multiplyColumn(int n, const uint32_t (&a)[M][4], uint32_t b0,
                                 uint32_t b1);

  //===--- The result: AbsorbedMmaOutput.h --------------------------------===//

  __device__ void clear();

  /// Writes the output of a `whole` tile; of a part, its state to the slot.
  __device__ void finish(bool whole, int slot);

  const AbsorbedParams &p;
  const AbsorbedCall call;
  char *const shared;
  Rows &rows;
  const uint32_t base; ///< Of shared memory.
  int thread, warp, lane;
  int depthHalf, rowHalf, keyHalf; ///< The warp's share of S.

  int batch, firstToken; ///< Of the sequence, or of the token with indices.

  // The tile. No row sees a key from `mostSeen` on; all see those below
  // `leastSeen`.
  int rowsHere, mostSeen, leastSeen;
  float o[4][8][4];         ///< Of 16 rows and 8 columns each.
  float maximum[2], sum[2]; ///< Of the rows whose weights the thread computes.
  // With block scales: the unit of `o`, and what brings it to this block's.
  float valueScale, valueUnit;

  // The key that the thread copies next.
  int nextPosition, nextPage;
  bool nextSeen;
  int badPosition; ///< Of a key whose page doesn't exist; -1: there was none.
  // The one that it copies now.
  const char *copyFrom;
  uint32_t copyTo;
  int unitsLeft = 0;
  bool copySeen;
};

} // namespace absorbed_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDMMA_H
