//===- PagedBatch.h - Ragged sequences over a paged cache, at random ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_PAGEDBATCH_H
#define MLA_TEST_RUNTIME_OPS_PAGEDBATCH_H

#include "CachePool.h"

namespace mla {
namespace test {

/// One of the (L, R) that models have, with a page size and types.
CacheSpec randomCacheSpec(Random &random, uint32_t dtype);

/// Sequences with pages of their own in permuted order. Every cache element
/// that no sequence holds is a NaN: rows beyond a length, unused pages, gaps.
struct PagedBatch {
  PagedBatch(Random &random, const CacheSpec &spec,
             const std::vector<int64_t> &lengths,
             const std::vector<int64_t> &newTokens, int64_t padding);

  CacheSpec spec;
  int64_t numSeqs, numTokens; ///< Padding included.
  TestTensor kvLens, cuQ, pageTable;
  /// One pool, or (one time in three) several.
  CachePool cache;
  TestTensor latent, pe; ///< The cache's.
};

/// Ragged lengths up to `most` keys and new tokens up to `tokens` in all.
PagedBatch randomBatch(Random &random, const CacheSpec &spec, int64_t numSeqs,
                       int64_t most, int64_t tokens);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_PAGEDBATCH_H
