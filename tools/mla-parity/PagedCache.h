//===- PagedCache.h - Which page holds what ---------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_PAGEDCACHE_H
#define MLA_TOOLS_PARITY_PAGEDCACHE_H

#include "HostTensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mla::parity {

/// Pages of several sequences in one pool, permuted and with unused ones among
/// them, and an image of what the cache holds: poison at first.
class PagedCache {
public:
  /// `lengths` are the tokens that each sequence will have, at most.
  PagedCache(uint32_t dtype, int64_t pageSize, int64_t width,
             const std::vector<int64_t> &lengths);

  /// [B, K] i32; -1 where a sequence has no page.
  const HostTensor &getPageTable() const { return pageTable; }
  /// [pages, P, L+R].
  const HostTensor &getImage() const { return image; }

  /// What came of row `position` of a sequence, as the launch left it.
  const uint8_t *getRow(const HostTensor &cache, int64_t sequence,
                        int64_t position) const;

  /// Takes the launch's cache as the new image, when it differs from the old
  /// one in the rows alone that were to be written: (sequence, position).
  /// Empty, or a sentence about the first other row.
  std::string update(const HostTensor &cache,
                     const std::vector<std::pair<int64_t, int64_t>> &written);

private:
  uint64_t getRowIndex(int64_t sequence, int64_t position) const;

  int64_t pageSize, pagesOfSequence = 1;
  HostTensor pageTable, image;
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_PAGEDCACHE_H
