//===- Matmul.h - Matrix products by cuBLASLt -----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// cuBLASLt is loaded when a context is made, so that the library can be built,
// loaded and asked for its reason on machines without it.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_MATMUL_H
#define MLA_RUNTIME_CUDA_MATMUL_H

#include "State.h"

namespace mla {
namespace cuda {

/// Finds cuBLASLt and makes the context's handle and workspace on the current
/// device. NOT_FOUND where there is no cuBLASLt.
mla_status openMatmul(mla_context &ctx, Matmul *&matmul);
/// Null is ignored.
void closeMatmul(Matmul *matmul);

/// out[t, h, :] = x[t, h, :] x w[h, :, :], or its transpose where `transposed`.
/// x [T, inner] or [T, H, inner]; w [H, inner, outer] or transposed [H, outer,
/// inner]; out [T, H, outer]. `op` is for messages. Any strides, f32, f16 and
/// bf16 in any mixture; sums are f32 (no TF32).
/// With few tokens (SkinnyProduct.h) a kernel of our own multiplies 16-bit
/// rows.
///
/// The first call of another shape (sizes, strides, types, alignments of the
/// addresses) asks cuBLASLt for an algorithm and may load its kernel: tens of
/// microseconds on the host, more for the first of a kind. It may be under
/// capture. Later calls only launch.
mla_status headProduct(mla_context &ctx, const char *op, const mla_tensor &x,
                       const mla_tensor &w, const mla_tensor &out,
                       bool transposed);

/// Loads the kernels of our own that multiply.
cudaError_t loadHeadProduct();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_MATMUL_H
