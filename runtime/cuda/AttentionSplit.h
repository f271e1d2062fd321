//===- AttentionSplit.h - How attention is spread over the GPU ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H
#define MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H

#include "State.h"

namespace mla {
namespace cuda {

/// Bytes of State::scratch.
uint64_t attentionScratchBytes(const State &state);

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ATTENTIONSPLIT_H
