//===- AppendVectors.h - What append's kernels for vectors are given ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPENDVECTORS_H
#define MLA_RUNTIME_CUDA_APPENDVECTORS_H

#include "CacheVectors.h"

namespace mla {
namespace cuda {

/// What is known of a call when its kernel is compiled. Types are MLA_DTYPE_*.
template <int style_, uint32_t input_, uint32_t query_, uint32_t latent_,
          bool blocks_>
struct AppendVariant {
  static constexpr int style = style_;
  static constexpr bool rotates = style != MLA_ROPE_NONE;
  /// The pairs are of a row's two halves, not of neighbours.
  static constexpr bool halves = style == MLA_ROPE_HALF;
  static constexpr uint32_t input = input_, query = query_, latent = latent_;
  static constexpr bool blocks = blocks_; ///< The latent is block-scaled.
  static constexpr uint32_t pe = blocks ? input : latent;
  /// Scales of whole tensors are given.
  static constexpr bool scaled = query != input || pe != input;
};

/// A call of append on rows in vectors, and how its work is cut into tasks of a
/// warp. A token's tasks are, in this order: some of its heads' pe columns;
/// some packets of its heads' nope columns; some packets of its latent; its
/// key's pe columns.
struct AppendVectors {
  uint32_t tokens = 0, heads = 0;
  uint32_t tasksOfToken = 0, peTasks = 0, nopeTasks = 0, latentTasks = 0;
  uint32_t headsPerTask = 0, nopePerTask = 0, latentPerTask = 0;
  uint32_t keyTokens = 1; ///< Tokens whose keys' pe columns are one task.
  Divisor byTasks;
  uint32_t warps = 0; ///< That have tasks.
  /// From a warp's task to its next.
  uint32_t stepTokens = 0, stepTasks = 0;
  Divisor byPeLanes;     ///< Lanes that a row's pe columns take.
  Divisor byNopePackets; ///< Packets of a row's nope columns.
  uint32_t peRows = 0;   ///< Rows of pe columns that a warp takes at once.

  bool through = false; ///< Rotated values are rounded to the input's type.
  bool widePositions = false;
  const char *positions = nullptr, *cosSin = nullptr;
  int64_t positionStride = 0, cosSinRow = 0, tableRows = 0;

  HeadRows qPe, query, qNope;
  uint32_t queryPe = 0;    ///< Bytes from a query row to its pe columns.
  uint32_t queryWidth = 0; ///< Bytes of a query row.
  /// Bytes from a query row to what a task of pe columns clears: nobody else
  /// clears nope columns that nothing is moved to.
  uint32_t clearFrom = 0;
  bool clearsOnly = false; ///< Nothing is moved there.
  bool copies = false;     ///< Most of the work is to copy.

  TokenRows cKv, kPe, kPeOut;
  const char *slots = nullptr;
  int64_t slotStride = 0, numSlots = 0;
  CacheVectors cache;

  const int32_t *cuQ = nullptr; ///< Its last element.
  int64_t sequences = 0;
  const float *queryScale = nullptr, *latentScale = nullptr, *peScale = nullptr;
  FaultRecord *fault = nullptr;

  /// False where the call isn't one of rows in vectors, or too large for 32
  /// bits.
  bool init(const mla_append_params &params);
  /// Cuts the work, and says how many warps do it.
  void plan(int numSMs, int &blocks, int &warpsOfBlock);
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPENDVECTORS_H
