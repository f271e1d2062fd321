//===- AbsorbedAttention.h - What its kernels have in common --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDATTENTION_H
#define MLA_RUNTIME_CUDA_ABSORBEDATTENTION_H

#include "AttentionSplit.h"

namespace mla {
namespace cuda {

/// A call, as its kernels get it. Logits are in units of log 2: exp2 is what
/// the GPU has.
struct AbsorbedParams {
  AbsorbedParams(mla_context &ctx, const mla_absorbed_attention_params &params,
                 int tileRows);

  Tensor<3> query, latent, pe, scales, o;
  Tensor<2> lse, pageTable, indices;
  Tensor<1> kvLens, cuQ, kvBounds, sinks;
  const float *queryScale, *latentScale, *peScale;
  float scale; ///< softmax_scale * log2(e)
  int64_t maxKv, numPages;
  int tokens, seqs, heads, latentWidth, peWidth, pageSize, topk;
  int numPagesOfSeq;
  int pageShift; ///< log2 of the page size where it is a power of two, else -1.
  bool hasLse, hasIndices;
  bool storesVectors; ///< Four columns of `o` are a whole and aligned unit.
  Tensor<1> schedule; ///< What the kernels go by.
  /// What the call was given: checked even where it isn't used.
  Tensor<1> callersSchedule;
  struct {
    int tileRows, numCTAs;
    /// What the schedule's lanes are where no token is padding.
    int lanes;
  } shape;
  float *slots;
  int32_t *ready; ///< See AttentionScratch.
  FaultRecord *fault;

  /// Whether a tile's keys may be more than one CTA's: there are slots for the
  /// parts.
  __host__ __device__ bool splits() const {
    return latentWidth <= maxSlotColumns;
  }
};

/// The kernels. Each takes what its supports function accepts, writes complete
/// tiles, and leaves the others' parts in the slots.
bool fitsAbsorbedMma(mla_context &ctx,
                     const mla_absorbed_attention_params &params);
mla_status launchAbsorbedMma(mla_context &ctx, const AbsorbedParams &params);
cudaError_t loadAbsorbedMma(const State &state);

/// On Hopper, for 16-bit caches of the usual widths and page sizes; with
/// indices for a latent of 512 columns, in pages of any size.
bool fitsAbsorbedSm90(mla_context &ctx,
                      const mla_absorbed_attention_params &params);
mla_status launchAbsorbedSm90(mla_context &ctx, const AbsorbedParams &params);
cudaError_t loadAbsorbedSm90(const State &state);

/// In f32, for all other types, widths and layouts. A tile wider than a slot is
/// not split.
constexpr int ffmaTileRows = 16;
mla_status launchAbsorbedFfma(mla_context &ctx, const AbsorbedParams &params);
cudaError_t loadAbsorbedFfma(const State &state);

mla_status launchAbsorbedCombine(mla_context &ctx,
                                 const AbsorbedParams &params);
cudaError_t loadAbsorbedCombine();
/// Of the slots that the Hopper kernel leaves.
mla_status launchAbsorbedCombineSm90(mla_context &ctx,
                                     const AbsorbedParams &params);
cudaError_t loadAbsorbedCombineSm90();

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDATTENTION_H
