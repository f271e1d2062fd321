//===- gather_kv.h - A window of cache rows to contiguous -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_GATHER_KV_H
#define MLA_TEST_RUNTIME_REFERENCE_GATHER_KV_H

#include "Array.h"

namespace mla {
namespace reference {

struct GatheredKv {
  Array cKv, kPe;
};

/// Row b * length + i holds key start + i of sequence b, 0 beyond its end. pe
/// may be absent.
GatheredKv gatherKv(const Array &latent, const Array &pe,
                    const Array &pageTable, const Array &kvLens, int64_t start,
                    int64_t length);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_GATHER_KV_H
