//===- Metadata.h - What changes between the replays ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_METADATA_H
#define MLA_TEST_GPU_METADATA_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mla::graph {

/// Sizes that a captured step has for good.
struct StepSizes {
  int64_t sequences = 6, tokens = 6, pageSize = 64, pagesEach = 6, topk = 32;

  int64_t capacity() const { return pagesEach * pageSize; }
  /// Some belong to nobody.
  int64_t pages() const { return sequences * pagesEach + 2; }
};

/// Integer arguments by name.
using Metadata = std::map<std::string, std::vector<int64_t>>;

/// Batches with other lengths, pages, positions and padding: the second is the
/// first with other lengths, some have tokens that belong to no sequence, one
/// has no other, and some have sequences of two tokens or of none.
std::vector<Metadata> makeBatches(const StepSizes &sizes);

/// A batch that a graph may meet when its inputs are stale.
struct StaleBatch {
  std::string name;
  Metadata metadata;
  /// Whether the sequences' tokens are still known, so that the first and the
  /// last sequence, which are right, must come out right.
  bool hasTokens = true;
  /// Whether an operation must report something.
  bool isReported = true;
};
/// `good` with values that no buffer has room for, in all sequences but the
/// first and the last.
std::vector<StaleBatch> makeStaleBatches(const StepSizes &sizes,
                                         const Metadata &good);

} // namespace mla::graph

#endif // MLA_TEST_GPU_METADATA_H
