//===- absorbed_attention.h - Over the paged latent -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_ABSORBED_ATTENTION_H
#define MLA_TEST_RUNTIME_REFERENCE_ABSORBED_ATTENTION_H

#include "Array.h"

namespace mla {
namespace reference {

/// Arguments as in ops.def; pe, kvBounds, sinks and indices may be absent.
struct AbsorbedAttention {
  Array query, latent, pe, pageTable, kvLens, cuQ, kvBounds, sinks, indices;
  double softmaxScale = 1;

  /// Logical positions of the keys that token `t` of sequence `b` sees.
  std::vector<int64_t> visibleKeys(int64_t b, int64_t t) const;
  /// softmax(scale * query . [latent | pe]) * latent for every token and head;
  /// a sink is one more logit, without a value.
  State compute() const;
};

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_ABSORBED_ATTENTION_H
