//===- PagedCache.h - The cache that calls find their rows in ---*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PAGEDCACHE_H
#define MLA_BENCH_PAGEDCACHE_H

#include "Case.h"
#include "Operands.h"

#include <random>

namespace mla::bench {

/// The rows of a paged cache in the format of a case, random.
struct CachePool {
  CachePool(Operands &operands, const Case &c, int64_t pages);

  const mla_tensor *latent, *pe, *scales = nullptr;
  const mla_tensor *latentScale = nullptr, *peScale = nullptr;
};

/// Where the sequences of a case lie in a cache that they have filled: their
/// pages are in a shuffled order.
struct PagedSequences {
  PagedSequences(Operands &operands, const Case &c, std::mt19937 &random);

  /// Rows of the pool that hold a sequence's keys, in order; sequences one
  /// after the other.
  std::vector<int64_t> slots(const Case &c) const;

  const mla_tensor *pageTable, *kvLens, *cuQ, *cuK;
  int64_t columns;            ///< Pages that the table has room for.
  std::vector<int32_t> table; ///< -1 beyond a sequence's pages.
};

/// The same with that cache.
struct PagedCache : PagedSequences {
  PagedCache(Operands &operands, const Case &c, std::mt19937 &random);

  CachePool pool;
};

/// Pages that the sequences of a case fill; at least one.
int64_t poolPages(const Case &c);

/// Pages of `keys` keys.
int64_t pagesOf(const Case &c, int64_t keys);
/// 0 to count - 1 in a random order.
std::vector<int64_t> shuffled(int64_t count, std::mt19937 &random);

} // namespace mla::bench

#endif // MLA_BENCH_PAGEDCACHE_H
