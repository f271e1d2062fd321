//===- Append.h - The kernels of append -------------------------*- C++ -*-===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Both do the whole operation in one launch. A token whose position is outside
// the table gets a query of 0 and no cache row; so does every token where a
// scale means nothing. Padding writes no cache row either, whatever its slot
// says.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_APPEND_H
#define MLA_RUNTIME_CUDA_APPEND_H

#include "State.h"

namespace mla {
namespace cuda {

/// 16-bit inputs whose rows are whole, aligned units of 16 bytes: what models
/// have. Sets `taken` to whether the call is one, and does nothing otherwise.
mla_status appendVectors(mla_context &ctx, const mla_append_params &params,
                         bool &taken);
/// Any layout and type.
mla_status appendElements(mla_context &ctx, const mla_append_params &params);

/// Whether the kernels that the current device has loaded can wait for the
/// stream (waitForStream): those for compute capability 9.0 can, those that the
/// driver compiles from the assembly for 8.0 can't.
bool appendWaits();

cudaError_t loadAppendVectors();
cudaError_t loadAppendElements();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_APPEND_H
