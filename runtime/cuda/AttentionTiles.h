//===- AttentionTiles.h - Tiles of ragged sequences, found by blocks ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The host knows how many tokens and sequences there are, not how they belong
// together. So it launches as many tiles as there can be, and every block looks
// for its own. Sequence b has the tiles from
//
//   floor(rows before b / rows of a tile) + b
//
// on: the next sequence's are never fewer than it needs further on. The rows
// behind the last sequence are one more, number B, which sees nothing.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ATTENTIONTILES_H
#define MLA_RUNTIME_CUDA_ATTENTIONTILES_H

#include "Fault.h"
#include "Launch.h"
#include "Tensor.h"

namespace mla {
namespace cuda {

/// Offsets of sequences (B + 1 of them) in a tensor of `total` rows, whose
/// first has the number `first`.
struct Offsets {
  Tensor<1> cumulative;
  int64_t total = 0;
  int64_t first = 0;

  __host__ __device__ int64_t numSequences() const {
    return cumulative.shape[0] - 1;
  }

#ifdef __CUDACC__
  /// Offset `b` from the first row on, whatever the memory holds: in
  /// [0, total].
  __device__ int64_t clamped(int64_t b) const {
    int64_t offset = loadInt(cumulative, b) - first;
    return min(max(offset, int64_t{0}), total);
  }

  /// The rows of sequence `b`; none where its offsets are unusable.
  __device__ bool range(int64_t b, int64_t &begin, int64_t &end) const {
    begin = loadInt(cumulative, b) - first;
    end = loadInt(cumulative, b + 1) - first;
    if (begin >= 0 && begin <= end && end <= total)
      return true;
    begin = end = 0;
    return false;
  }

  /// Records what is wrong with the offsets of sequence `b`.
  __device__ void check(FaultRecord *fault, FaultSite site, int64_t b) const {
    int64_t begin = loadInt(cumulative, b), end = loadInt(cumulative, b + 1);
    int64_t limit = first + total + 1;
    if (b == 0)
      isOutside(fault, site, 0, begin, first + 1, first);
    if (isOutside(fault, site, b, begin, limit, first))
      return;
#ifndef MLA_CUDA_UNCHECKED
    if (end < begin || end >= limit)
      recordFault(fault, site, b + 1, end, limit, begin);
#endif
  }
#endif
};

/// How sequences are cut into tiles.
struct TileShape {
  int64_t rowsPerToken = 1;
  int64_t tileRows = 1;

  /// Tiles that `tokens` tokens of `sequences` sequences need at most, the
  /// padding's among them.
  int64_t maxTiles(int64_t tokens, int64_t sequences) const {
    return tokens * rowsPerToken / tileRows + sequences + 1;
  }
};

/// Consecutive rows of one sequence.
struct RowTile {
  int64_t sequence = 0;
  bool isPadding = false; ///< Of no sequence.
  int64_t rowBegin = 0, rowEnd = 0;
  int64_t tokensEnd = 0; ///< Behind the sequence's last token.
};

#ifdef __CUDACC__

/// The sequence that tile `number` is of, and in `done` the rows before its
/// own: those of the sequences before it. With one thread, for offsets that go
/// back. A row that two of them claim is the first one's, and each of the
/// others that can be used gets all its tiles.
__device__ inline int findAmongFaults(const Offsets &offsets, TileShape shape,
                                      int64_t number, int64_t &done) {
  int b = 0, numSequences = static_cast<int>(offsets.numSequences());
  for (done = 0; b < numSequences; ++b) {
    int64_t begin, end, next = done;
    if (offsets.range(b, begin, end))
      next = max(done, end * shape.rowsPerToken);
    if (number < next / shape.tileRows + b + 1)
      break;
    done = next;
  }
  return b;
}

/// Finds tile `number`, with all threads of the block. False: there is none.
/// No two tiles share a row, whatever the offsets are.
__device__ inline bool findTile(const Offsets &offsets, TileShape shape,
                                int64_t number, RowTile &tile) {
  __shared__ int sequence;
  __shared__ int64_t done;
  if (threadIdx.x == 0)
    sequence = 0;
  __syncthreads();
  int numSequences = static_cast<int>(offsets.numSequences());
  int best = 0;
  bool goesBack = false;
  auto rowsBefore = [&](int64_t b) {
    return offsets.clamped(b) * shape.rowsPerToken;
  };
  for (int b = threadIdx.x; b <= numSequences; b += blockDim.x) {
    if (rowsBefore(b) / shape.tileRows + b <= number)
      best = b;
    goesBack |= b > 0 && rowsBefore(b) < rowsBefore(b - 1);
  }
  atomicMax(&sequence, best);
  goesBack = __syncthreads_or(goesBack);
  if (threadIdx.x == 0) {
    if (goesBack)
      sequence = findAmongFaults(offsets, shape, number, done);
    else
      done = rowsBefore(sequence);
  }
  __syncthreads();
  tile.sequence = sequence;
  tile.isPadding = sequence == numSequences;
  int64_t begin, end;
  if (tile.isPadding) {
    begin = offsets.clamped(numSequences);
    end = offsets.total;
  } else {
    offsets.range(sequence, begin, end);
  }
  tile.tokensEnd = end;
  int64_t place = number - (done / shape.tileRows + sequence);
  tile.rowBegin =
      max(begin * shape.rowsPerToken, done) + place * shape.tileRows;
  tile.rowEnd = min(tile.rowBegin + shape.tileRows, end * shape.rowsPerToken);
  return tile.rowBegin < tile.rowEnd;
}

#endif // __CUDACC__

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ATTENTIONTILES_H
