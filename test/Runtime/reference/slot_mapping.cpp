//===- slot_mapping.cpp - Where each token goes ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "slot_mapping.h"

using namespace mla::reference;

SlotMapping mla::reference::slotMapping(const Array &kvLens, const Array &cuQ,
                                        const Array &pageTable, int64_t tokens,
                                        int64_t pageSize, int64_t rank,
                                        int64_t size, int64_t interleave) {
  SlotMapping result{Array({tokens}), Array({tokens}, -1),
                     Array({kvLens.dim(0)}), Array({tokens})};
  for (int64_t b = 0; b < kvLens.dim(0); ++b) {
    // The rank's keys by walking over all of them: slow, and free of the closed
    // form that it checks.
    int64_t local = 0;
    for (int64_t p = 0; p < kvLens.integer(b); ++p) {
      bool owned = p / interleave % size == rank;
      int64_t t = cuQ.integer(b + 1) - (kvLens.integer(b) - p);
      bool isNew = t >= cuQ.integer(b);
      if (isNew) {
        result.positions.at(t) = p;
        result.kvBounds.at(t) = local + owned;
        if (owned)
          result.slots.at(t) =
              pageTable.at(b, local / pageSize) * pageSize + local % pageSize;
      }
      local += owned;
    }
    result.localKvLens.at(b) = local;
  }
  return result;
}
