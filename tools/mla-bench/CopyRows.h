//===- CopyRows.h - Rows moved by a GPU and nothing else --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ceiling of calls that move data: the same bytes by the same rows, in one
// launch, with no arithmetic but addresses, no checks and no load that waits
// for another, but for the rows' indices. Which of some plain kernels is the
// quickest depends on the sizes, so that there are several to try.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_COPYROWS_H
#define MLA_BENCH_COPYROWS_H

#include "Device.h"

#include <cuda_runtime_api.h>

namespace mla::bench {

/// Divides numbers below 2^31 by a constant: a product and a shift.
struct Divider {
  uint32_t factor = 1, shift = 0;

  Divider() = default;
  explicit Divider(uint32_t divisor) {
    while ((uint64_t{1} << shift) < divisor)
      ++shift;
    uint64_t excess = (uint64_t{1} << shift) - divisor;
    factor = static_cast<uint32_t>((excess << 32) / divisor) + 1;
  }
};

/// A transfer as a kernel takes it: `count` items, each the load of a unit and
/// the store of a unit, or one of the two.
struct CopyPart {
  const char *from = nullptr;
  char *to = nullptr;
  const int64_t *fromIndex = nullptr, *toIndex = nullptr;
  int32_t fromToken = 0, fromRow = 0, toToken = 0, toRow = 0;
  uint32_t unit = 1;              ///< Bytes: 16, 8, 4 or 1.
  uint32_t reads = 0, writes = 0; ///< Units of a row.
  uint32_t items = 1, rows = 1;   ///< Of a row, of a token.
  Divider byItems, byRows;
  uint32_t count = 0;
};

/// All that one launch moves.
class CopyRows {
public:
  /// False where it is too much for the kernels: more than eight transfers, or
  /// numbers beyond 31 bits.
  bool set(const std::vector<Transfer> &transfers, uint32_t *sink);

  static constexpr int numKernels = 6;
  /// How many of them to try on a GPU of so many multiprocessors: those after
  /// the first give a thread more to do, which needs enough work.
  int kernels(int sms) const;
  /// Any of them does it all.
  cudaError_t launch(int kernel, int sms, cudaStream_t stream) const;

  // What a kernel reads. A part's first tile, of all parts' tiles, isn't in the
  // part: a block finds its part with one access to memory that is cold.
  static constexpr int maxParts = 8;
  uint32_t firstTiles[maxParts] = {};
  uint32_t tiles = 0;
  int32_t numParts = 0;
  CopyPart parts[maxParts];
  uint32_t *sink = nullptr; ///< Written if data are what they never are.

private:
  uint32_t split(uint32_t tileItems);
};

} // namespace mla::bench

#endif // MLA_BENCH_COPYROWS_H
