//===- append.h - Rotation, cache rows and query assembly -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_APPEND_H
#define MLA_TEST_RUNTIME_REFERENCE_APPEND_H

#include "rope.h"

namespace mla {
namespace reference {

struct AppendInputs {
  Array cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  int64_t ropeHeadDim = 0; ///< Where the query's own columns rotate.
};

/// What append reads and writes; absent where the call has none.
struct AppendState {
  Array query, kPeOut, latent, pe;
};

/// Applies append to `state`. `style` None: nothing is rotated.
void append(const AppendInputs &inputs, RopeStyle style, AppendState &state);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_APPEND_H
