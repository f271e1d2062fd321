//===- expanded_attention.h - Over rebuilt keys and values ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_EXPANDED_ATTENTION_H
#define MLA_TEST_RUNTIME_REFERENCE_EXPANDED_ATTENTION_H

#include "Array.h"

namespace mla {
namespace reference {

/// Arguments as in ops.def; kPe, sinks and indices may be absent. Keys come
/// from cuK, or with windowLength > 0 from the window and kvLens.
struct ExpandedAttention {
  Array q, kNope, kPe, v, cuQ, cuK, kvLens, sinks, indices;
  double softmaxScale = 1;
  bool causal = false;
  int64_t windowStart = 0, windowLength = 0;

  /// softmax(scale * q . [kNope | kPe]) * v for every token and head; a sink is
  /// one more logit, without a value.
  State compute() const;
};

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_EXPANDED_ATTENTION_H
