//===- ContextParallelCase.h - One batch over several ranks ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Every rank has a cache of its own, appends the tokens that it owns, attends
// to its keys with every query, and the ranks' states are merged: that must
// give what one rank with all keys computes.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_CONTEXTPARALLELCASE_H
#define MLA_TEST_RUNTIME_OPS_CONTEXTPARALLELCASE_H

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/Array.h"

#include <functional>

namespace mla {
namespace test {

/// Which rank owns position `p` of sequence `b`.
using Ownership = std::function<int64_t(int64_t b, int64_t p)>;

/// Deals the positions out like cards: `interleave` to rank 0, as many to rank
/// 1, and so on, again from rank 0 after the last.
Ownership dealtOut(int64_t size, int64_t interleave, int64_t mostKeys);

/// Where the tokens of a launch go on one rank.
struct RankMetadata {
  TestTensor positions, slots, localLens, bounds;
};

/// The metadata from the definition: the rank's keys are its positions in
/// order; a token sees those up to its own position. Found by asking of every
/// position whose it is.
RankMetadata metadataByOracle(const Ownership &owner, int64_t rank,
                              const std::vector<int64_t> &lengths,
                              const TestTensor &cuQ,
                              const TestTensor &pageTable, int64_t tokens,
                              int64_t pageSize);

struct ContextParallelSpec {
  uint32_t dtype = MLA_DTYPE_F32;
  int64_t heads = 2, latentWidth = 64, peWidth = 32, pageSize = 8;
  int64_t size = 2, interleave = 1;
  /// Rotation of the first launch and of those after it; MLA_ROPE_NONE: none.
  int64_t contextRope = MLA_ROPE_INTERLEAVED;
  int64_t generationRope = MLA_ROPE_INTERLEAVED;
  /// Set: positions, slots, lengths and bounds are the caller's, who owns keys
  /// as this says. Not set: mla_slot_mapping gives them.
  Ownership owner;
};

/// New tokens of each sequence, and tokens of padding behind them.
struct LaunchSpec {
  std::vector<int64_t> newTokens;
  int64_t padding = 0;
};

/// A batch that goes through launch after launch, on `size` ranks and on one
/// alone.
class ContextParallelCase {
public:
  ContextParallelCase(TestContext &ctx, uint64_t seed,
                      const ContextParallelSpec &spec,
                      const std::vector<LaunchSpec> &launches);

  /// Appends and attends; the results of the latest launch are below.
  void launch();
  /// The states of the given ranks merged.
  reference::State merged(const std::vector<int64_t> &ranks) const;
  std::vector<int64_t> allRanks() const;
  /// What one rank computes; and from the formula, of what is in its cache.
  reference::State alone() const;
  reference::State formula() const;
  /// Launches that are left.
  size_t remaining() const { return launches.size() - next; }
  /// Rows of all ranks' caches that differ from the single rank's row of the
  /// same position, or that nobody owns and that were written.
  int64_t wrongRows() const;
  /// Ranks that own no key of any sequence.
  int64_t idleRanks() const;
  double maxQueryDifference() const { return queryDifference; }

private:
  struct Rank {
    TestTensor latent, pe, pageTable, query, o, lse;
    int64_t index = 0, size = 1;
    bool callers = false;
    RankMetadata metadata;
  };

  Rank makeRank(int64_t index, int64_t size);
  void setMetadata(Rank &rank, int64_t tokens);
  void appendTo(Rank &rank, int64_t style);
  void attend(Rank &rank);

  TestContext &ctx;
  Random random;
  ContextParallelSpec spec;
  std::vector<LaunchSpec> launches;
  size_t next = 0;
  int64_t mostKeys = 0;
  std::vector<int64_t> lengths; ///< Keys of each sequence so far.
  Ownership owner;
  TestTensor kvLens, cuQ, cosSin, cKv, kPe, qNope, qPe;
  std::vector<Rank> ranks;
  Rank single;
  double queryDifference = 0;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_CONTEXTPARALLELCASE_H
