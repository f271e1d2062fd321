//===- Kernels.h - The CPU backend's functions and what they share --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_KERNELS_H
#define MLA_RUNTIME_CPU_KERNELS_H

#include "View.h"
#include "core/Context.h"

#include <algorithm>

namespace mla {
namespace cpu {

#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status op(mla_context &ctx, const mla_##op##_params &params);
#include "mla_runtime/ops.def"

/// The context's block of at least `count` floats, good until the next call of
/// this function on it. It grows on the first calls and is kept, so that a
/// steady state allocates nothing. Null, with the error reported, when memory
/// is exhausted.
float *scratch(mla_context &ctx, int64_t count);

/// More floats than any memory has; a sum of some such numbers is an int64.
constexpr int64_t mostFloats = int64_t(1) << 59;
/// a * b, or mostFloats if that is less: the dims of a call are 31 bits each,
/// and tensors that repeat elements take no memory.
inline int64_t floatsOf(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? mostFloats
                                                : std::min(product, mostFloats);
}

// Refuse what the kernel can't do, in every mode; the others do all that the
// core lets through.
mla_status supports_copy(mla_context &ctx, const mla_copy_params &params);
mla_status supports_fill(mla_context &ctx, const mla_fill_params &params);

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_KERNELS_H
