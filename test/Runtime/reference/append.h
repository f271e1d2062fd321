//===- append.h - Rotation, cache rows and query assembly -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_APPEND_H
#define MLA_TEST_RUNTIME_REFERENCE_APPEND_H

#include "rope.h"

#include <functional>

namespace mla {
namespace reference {

struct AppendInputs {
  Array cKv, kPe, qNope, qPe, slots, cosSin, positions, cuQ;
  int64_t ropeHeadDim = 0; ///< Where the query's own columns rotate.
  /// Of what is quantized; 0: isn't. A latent may have block scales instead.
  float queryScale = 0, latentScale = 0, peScale = 0;
  /// What rotated values pass through; null: nothing.
  std::function<double(double)> rounding;
};

/// What append reads and writes; absent where the call has none. Quantized
/// values are the fp8 numbers, before any scale.
struct AppendState {
  Array query, kPeOut, latent, pe, scales;
};

/// Applies append to `state`. `style` None: nothing is rotated.
void append(const AppendInputs &inputs, RopeStyle style, AppendState &state);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_APPEND_H
