//===- slot_mapping.h - Where each token goes -----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_SLOT_MAPPING_H
#define MLA_TEST_RUNTIME_REFERENCE_SLOT_MAPPING_H

#include "Array.h"

namespace mla {
namespace reference {

struct SlotMapping {
  Array positions, slots, localKvLens, kvBounds;
};

/// kvLens [B], cuQ [B+1], pageTable [B,K]; results over `tokens` tokens. The
/// context-parallel rank `rank` of `size` owns the positions p with
/// (p / interleave) % size == rank and keeps them in order.
SlotMapping slotMapping(const Array &kvLens, const Array &cuQ,
                        const Array &pageTable, int64_t tokens,
                        int64_t pageSize, int64_t rank = 0, int64_t size = 1,
                        int64_t interleave = 1);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_SLOT_MAPPING_H
