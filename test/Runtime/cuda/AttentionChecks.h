//===- AttentionChecks.h - What is to be so of calls on a GPU -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_ATTENTIONCHECKS_H
#define MLA_TEST_RUNTIME_CUDA_ATTENTIONCHECKS_H

#include "PagedAttention.h"
#include "reference/Array.h"

namespace mla {
namespace test {

/// Runs the call in the operands' stream; it is to be within the bounds, and to
/// write nothing beside its results.
void expectRight(StreamContext &on, PagedAttention &attention);
/// No call since the last check has met a bad value.
void expectNoFault(StreamContext &on);

/// The values of a tensor of the GPU; an absent array for null.
reference::Array download(const mla_tensor *tensor);
/// Sets the elements of a dense one.
void upload(const mla_tensor *tensor, const reference::Array &values);

/// Whether the call is of the kernel for compute capability 9.0.
bool usesSm90(StreamContext &on, const PagedAttention &attention);
/// Whether this GPU has that capability.
bool isHopper();

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_ATTENTIONCHECKS_H
