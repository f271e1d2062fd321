//===- HeadProduct.h - Per-head products with a weight, on the CPU --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_HEADPRODUCT_H
#define MLA_RUNTIME_CPU_HEADPRODUCT_H

#include "Kernels.h"

namespace mla {
namespace cpu {

/// For every head h: out[t,h,:] = x[t,h,:] * w[h,:,:], or w[h,:,:] * x[t,h,:]
/// when `transposed`. `x` of rank 2 is the same for all heads. Accumulates in
/// f32.
mla_status headProduct(mla_context &ctx, const View &x, const View &w,
                       const View &out, bool transposed);

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_HEADPRODUCT_H
