//===- SkinnyProduct.h - A product for each head, of few tokens -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SKINNYPRODUCT_H
#define MLA_RUNTIME_CUDA_SKINNYPRODUCT_H

#include "HeadProduct.h"

namespace mla {
namespace cuda {

/// Whether a kernel of our own, which reads the weights once, is faster than
/// cuBLASLt: for weights whose rows lie along the sum (`transposed`: project_v,
/// expand_kv) or along the outputs (absorb_q). As measured on an H100 with the
/// sizes of DeepSeek-V3: with 128 heads the other passes cost more than the
/// launch saves from 9 tokens on, with 16 heads from 33 or 25 on.
constexpr bool isSkinny(int64_t tokens, int64_t heads, bool transposed) {
  return tokens <= 8 || tokens <= (transposed ? 512 : 384) / heads;
}

/// By a kernel that reads the weights as fast as memory allows: bf16 or f16
/// factors whose rows are whole, aligned units of 16 bytes, outputs of the same
/// type or f32, any number of tokens. `transposed` says that a row of the
/// weights lies along the sum. Sums are f32, in an order that depends on the
/// sizes alone. Sets `taken` to whether the product is one of those, and does
/// nothing otherwise.
mla_status skinnyProduct(mla_context &ctx, const char *op,
                         const HeadOperands &operands, bool transposed,
                         bool &taken);

/// Loads its kernels.
cudaError_t loadSkinnyProduct();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SKINNYPRODUCT_H
