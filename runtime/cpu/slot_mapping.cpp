//===- slot_mapping.cpp - Where each token goes, on the CPU ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Sequences.h"

using namespace mla;
using namespace mla::cpu;

namespace {

/// Which positions a context-parallel rank owns: position p belongs to rank
/// (p / interleave) % size, where it is key number
/// p / (interleave * size) * interleave + p % interleave.
struct Ownership {
  int64_t rank, size, interleave;
  int64_t group; ///< Positions of one turn of all ranks.

  explicit Ownership(const mla_slot_mapping_params &params)
      : rank(params.cp_rank), size(std::max<int64_t>(params.cp_size, 1)),
        interleave(std::max<int64_t>(params.cp_interleave, 1)),
        group(size * interleave) {}

  bool owns(int64_t position) const {
    return size == 1 || position / interleave % size == rank;
  }

  int64_t localIndex(int64_t position) const {
    if (size == 1)
      return position;
    return position / group * interleave + position % interleave;
  }

  /// How many of the positions below `bound` the rank owns.
  int64_t countBelow(int64_t bound) const {
    if (size == 1)
      return bound;
    int64_t rest = bound % group - rank * interleave;
    return bound / group * interleave +
           std::min(std::max<int64_t>(rest, 0), interleave);
  }

  /// Positions below which the rank owns `keys` < 2^31, and no more.
  int64_t mostPositions(int64_t keys) const {
    if (size == 1)
      return keys;
    return keys / interleave * group + rank * interleave + keys % interleave;
  }
};

} // namespace

mla_status mla::cpu::slot_mapping(mla_context &ctx,
                                  const mla_slot_mapping_params &params) {
  const char *op = "slot_mapping";
  View kvLens(params.kv_lens), cuQ(params.cu_q), pageTable(params.page_table);
  View positions(params.positions), slots(params.slots);
  View localLens(params.local_kv_lens), bounds(params.kv_bounds);
  Ownership ownership(params);
  int64_t numSeqs = kvLens.dim(0), tokens = positions.dim(0);
  int64_t capacity =
      std::min<int64_t>(pageTable.dim(1) * params.page_size, INT32_MAX);

  // What padding gets; sequences that turn out unusable keep it too.
  for (int64_t t = 0; t < tokens; ++t) {
    storeInt(positions, t, 0);
    storeInt(slots, t, -1);
    if (bounds)
      storeInt(bounds, t, 0);
  }

  for (int64_t b = 0; b < numSeqs; ++b) {
    Range range = sequenceRange(ctx, op, "cu_q", cuQ, b, tokens);
    int64_t length = loadInt(kvLens, b);
    // A sequence holds its new tokens, and its rank's share fits its pages.
    bool usable =
        length >= range.size() && ownership.countBelow(length) <= capacity;
    if (localLens)
      storeInt(localLens, b, usable ? ownership.countBelow(length) : 0);
    if (!usable) {
      recordFault(ctx, op, "kv_lens", b, length,
                  ownership.mostPositions(capacity) + 1, range.size());
      continue;
    }
    for (int64_t t = range.begin; t < range.end; ++t) {
      int64_t position = length - (range.end - t);
      storeInt(positions, t, position);
      if (bounds)
        storeInt(bounds, t, ownership.countBelow(position + 1));
      if (!ownership.owns(position))
        continue;
      int64_t local = ownership.localIndex(position);
      int64_t page = loadInt(pageTable, b, local / params.page_size);
      if (page < 0) {
        recordFault(ctx, op, "page_table",
                    b * pageTable.dim(1) + local / params.page_size, page,
                    INT32_MAX);
        continue;
      }
      storeInt(slots, t, page * params.page_size + local % params.page_size);
    }
  }
  return MLA_STATUS_OK;
}
