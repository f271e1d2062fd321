//===- AttentionReference.h - Absorbed attention in float64 on a GPU ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// For batches that would take the reference on the CPU hours: the same formula,
// written anew, with nothing shared with the backend. A test compares the two
// references.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_ATTENTIONREFERENCE_H
#define MLA_TEST_RUNTIME_CUDA_ATTENTIONREFERENCE_H

#include "DeviceBuffer.h"
#include "mla_runtime/runtime.h"

#include <string>

namespace mla {
namespace test {

/// How a call's o and lse differ from the formula, by the measures of
/// FlashMLA's published tests. An element is wrong where it is off by more than
/// 8e-4 and by more than 2.01/128 of what is right, an lse by more than a bound
/// and by more than 8.01/65536 of it; a NaN always is.
struct AttentionDifference {
  unsigned long long rows = 0; ///< Pairs of a token and a head.
  unsigned long long wrong = 0, wrongLse = 0;
  unsigned long long firstWrong = ~0ull; ///< Row; ~0: none.
  double worst = 0;                      ///< Of the elements' errors.
  double product = 0, squares = 0; ///< sum x*y and sum x*x + y*y, for cosine().
  unsigned long long damage = 0;   ///< Bytes that changed and shouldn't have.

  /// 1 - 2 sum(xy) / sum(xx + yy)
  double cosine() const { return squares == 0 ? 0 : 1 - 2 * product / squares; }
  bool isWithin() const {
    return wrong == 0 && wrongLse == 0 && cosine() <= 5e-6;
  }
  std::string describe() const;
};

/// What the bound of an lse is there.
constexpr double publishedLseBound = 1e-6;

// All of these only enqueue, for a difference on the GPU.

void startDifference(AttentionDifference *to, cudaStream_t stream);

/// Compares all rows of the call that `stream` has done by then. The call's
/// tensors are of the GPU and its cache is of bf16, f16 or f32; latents have up
/// to 1024 columns.
void compareWithFormula(const mla_absorbed_attention_params &params,
                        double lseBound, DeviceBuffer &scratch,
                        AttentionDifference *to, cudaStream_t stream);

/// Counts the bytes that aren't 0xFF for damage.
void countDamage(const char *bytes, int count, AttentionDifference *to,
                 cudaStream_t stream);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_ATTENTIONREFERENCE_H
