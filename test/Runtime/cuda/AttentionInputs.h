//===- AttentionInputs.h - Random operands, drawn on a GPU ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_ATTENTIONINPUTS_H
#define MLA_TEST_RUNTIME_CUDA_ATTENTIONINPUTS_H

#include "mla_runtime/runtime.h"

#include <cuda_runtime_api.h>

namespace mla {
namespace test {

/// Normally distributed numbers times `size`, clamped to [-1, 1].
void fillNormal(const mla_tensor &tensor, uint64_t seed, float size,
                cudaStream_t stream);

/// The same in the rows of a part of the cache that sequences hold; all others
/// stay what they are.
void fillHeldRows(const mla_tensor &part,
                  const mla_absorbed_attention_params &params, uint64_t seed,
                  float size, cudaStream_t stream);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_ATTENTIONINPUTS_H
