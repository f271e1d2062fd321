//===- CacheRows.h - Rows of a cache of any format to and from f32 --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The formats are f32, f16 and bf16 as they are, and fp8 e4m3 with one scale a
// tensor or with one a row and block of 128 columns (docs/numerics.md, "fp8").
// A value x is stored as sat_e4m3(x * (1 / scale)) and read as q * scale.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_CACHEROWS_H
#define MLA_RUNTIME_CPU_CACHEROWS_H

#include "Kernels.h"

namespace mla {
namespace cpu {

/// Columns that share a scale in a block-scaled cache.
const int64_t scaleBlock = 128;

/// Reads the scale `tensor` (f32, rank 0, argument `name` of operation `op`)
/// into `value`; an absent one leaves it alone. False, with the fault recorded,
/// where it holds no positive normal number: its reciprocal is to be one.
bool loadScale(mla_context &ctx, const char *op, const char *name,
               const mla_tensor *tensor, float &value);

/// The block's scale: the least power of two, at least 2^-126, that brings the
/// largest finite magnitude of `count` values to at most 448; 1 where there is
/// none but 0.
float blockScale(const float *values, int64_t count);

/// A cache's rows. The indices are a physical page and a line of it; both
/// exist.
class CacheRows {
public:
  CacheRows(const mla_tensor *latent, const mla_tensor *pe,
            const mla_tensor *scales)
      : latent(latent), pe(pe), scales(scales) {}

  /// Reads the scales of the tensors that have one each. False, with the fault
  /// recorded, where one can't be used.
  bool loadScales(mla_context &ctx, const char *op,
                  const mla_tensor *latentScale, const mla_tensor *peScale) {
    return loadScale(ctx, op, "latent_scale", latentScale, this->latentScale) &&
           loadScale(ctx, op, "pe_scale", peScale, this->peScale);
  }

  /// The row [latent | pe], dequantized.
  void load(int64_t page, int64_t line, float *out) const {
    loadLatent(page, line, out);
    if (pe)
      loadPe(page, line, out + latent.width());
  }
  void loadLatent(int64_t page, int64_t line, float *out) const;
  void loadPe(int64_t page, int64_t line, float *out) const;

  /// Quantize and write one part of a row. `in` is overwritten.
  void storeLatent(int64_t page, int64_t line, float *in) const;
  void storePe(int64_t page, int64_t line, float *in) const;

  View latent, pe, scales;

private:
  float latentScale = 1;
  float peScale = 1;
};

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_CACHEROWS_H
