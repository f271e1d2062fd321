//===- HeadProduct.h - A product for each head, of any tensors ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_HEADPRODUCT_H
#define MLA_RUNTIME_CUDA_HEADPRODUCT_H

#include "State.h"
#include "Tensor.h"

namespace mla {
namespace cuda {

/// out[t, h, o] = the f32 sum over i of x[t, h, i] * w[h, o, i]. The strides
/// say what is transposed, and what all heads share (0).
struct HeadOperands {
  Tensor<3> x;   ///< [T, H, inner]
  Tensor<3> w;   ///< [H, outer, inner]
  Tensor<3> out; ///< [T, H, outer]
};

/// By a kernel of our own: f32, f16 and bf16 in any mixture and any strides.
mla_status plainHeadProduct(mla_context &ctx, const char *op,
                            const HeadOperands &operands);

/// Loads that kernel.
cudaError_t loadPlainHeadProduct();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_HEADPRODUCT_H
