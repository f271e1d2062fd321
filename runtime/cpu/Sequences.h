//===- Sequences.h - Ragged sequences and their pages, read with care -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Lengths, page numbers and token offsets are device data: the core can't check
// them. Everything here stays inside the buffers whatever they hold, and
// records the first value that points nowhere.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_SEQUENCES_H
#define MLA_RUNTIME_CPU_SEQUENCES_H

#include "Kernels.h"

#include <algorithm>

namespace mla {
namespace cpu {

/// A half-open range; empty for a sequence whose bounds are unusable.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

/// Reads `cumulative` (B + 1 offsets, argument `name`) for sequence `b`: the
/// rows of a tensor of `total` rows whose first has the number `first`. The
/// offsets are to start at `first` and to ascend up to first + total.
inline Range sequenceRange(mla_context &ctx, const char *op, const char *name,
                           const View &cumulative, int64_t b, int64_t total,
                           int64_t first = 0) {
  Range range{loadInt(cumulative, b), loadInt(cumulative, b + 1)};
  int64_t limit = first + total + 1;
  if (b == 0 && range.begin != first)
    recordFault(ctx, op, name, 0, range.begin, first + 1, first);
  if (range.begin < first || range.begin >= limit) {
    recordFault(ctx, op, name, b, range.begin, limit, first);
    return {};
  }
  if (range.end < range.begin || range.end >= limit) {
    recordFault(ctx, op, name, b + 1, range.end, limit, range.begin);
    return {};
  }
  return {range.begin - first, range.end - first};
}

/// Tokens that belong to a sequence: those from here on are padding.
inline int64_t numTokens(mla_context &ctx, const char *op, const View &cuQ,
                         int64_t total) {
  int64_t count = loadInt(cuQ, cuQ.dim(0) - 1);
  if (count < 0 || count > total)
    recordFault(ctx, op, "cu_q", cuQ.dim(0) - 1, count, total + 1);
  return std::min(std::max<int64_t>(count, 0), total);
}

/// Keys of sequence `b`; 0 where the stored length is negative, more than
/// `capacity`, what its row of the page table reaches, or more than the hint
/// `maxKv`, where that isn't 0.
inline int64_t sequenceLength(mla_context &ctx, const char *op,
                              const View &kvLens, int64_t b, int64_t capacity,
                              int64_t maxKv = 0) {
  int64_t length = loadInt(kvLens, b);
  bool isHint = maxKv > 0 && maxKv < capacity;
  int64_t most = isHint ? maxKv : capacity;
  if (length >= 0 && length <= most)
    return length;
  // Two callers' mistakes: whoever set the hint, or whoever sized the table.
  recordFault(ctx, op, isHint ? "kv_lens, bounded by max_kv" : "kv_lens", b,
              length, most + 1);
  return 0;
}

/// A paged cache together with the table that finds a sequence's rows in it.
class PagedCache {
public:
  PagedCache(mla_context &ctx, const char *op, const mla_tensor *latent,
             const mla_tensor *pe, const mla_tensor *pageTable)
      : ctx(ctx), op(op), latent(latent), pe(pe), table(pageTable) {}

  int64_t numPages() const { return latent.dim(0); }
  int64_t pageSize() const { return latent.dim(1); }
  /// Keys that a sequence can have.
  int64_t capacity() const { return table.dim(1) * pageSize(); }

  /// Page `logical` of sequence `b`, as the table has it.
  int64_t pageOf(int64_t b, int64_t logical) const {
    return loadInt(table, b, logical);
  }
  bool exists(int64_t page) const { return page >= 0 && page < numPages(); }

  /// Finds key `position` < capacity() of sequence `b`. False, with the fault
  /// recorded, when its page doesn't exist.
  bool find(int64_t b, int64_t position, int64_t &page, int64_t &row) const {
    int64_t logical = position / pageSize();
    page = pageOf(b, logical);
    row = position % pageSize();
    if (exists(page))
      return true;
    recordFault(ctx, op, "page_table", b * table.dim(1) + logical, page,
                numPages());
    return false;
  }

private:
  mla_context &ctx;
  const char *op;

public:
  View latent;
  View pe;
  View table;
};

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_SEQUENCES_H
