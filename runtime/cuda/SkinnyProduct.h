//===- SkinnyProduct.h - A product for each head, of few tokens -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SKINNYPRODUCT_H
#define MLA_RUNTIME_CUDA_SKINNYPRODUCT_H

#include "HeadProduct.h"

namespace mla {
namespace cuda {

/// The most tokens with which reading the weights once is all that counts, so
/// that a kernel of our own is faster than cuBLASLt: of weights whose rows lie
/// along the sum (project_v, expand_kv), and of those whose rows lie along the
/// outputs (absorb_q).
constexpr int64_t skinnyTokensAlong = 16;
constexpr int64_t skinnyTokensAcross = 16;

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
