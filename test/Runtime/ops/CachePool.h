//===- CachePool.h - Paged caches of every format -------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_CACHEPOOL_H
#define MLA_TEST_RUNTIME_OPS_CACHEPOOL_H

#include "TestTensor.h"

namespace mla {
namespace test {

/// What varies between the caches of the tests.
struct CacheSpec {
  int64_t latentWidth = 512;
  int64_t peWidth = 64; ///< 0: no pe part.
  int64_t pageSize = 16;
  uint32_t latentDtype = MLA_DTYPE_F32;
  uint32_t peDtype = MLA_DTYPE_F32;
  bool blockScales = false;
  /// Dense: rows, and the parts in them, as aligned as their widths let them
  /// be.
  Layout layout = Layout::Gapped;
  /// Of an fp8 part without block scales.
  float latentScale = 1, peScale = 1;

  bool scalesLatent() const {
    return latentDtype == MLA_DTYPE_F8E4M3FN && !blockScales;
  }
  bool scalesPe() const { return peWidth > 0 && peDtype == MLA_DTYPE_F8E4M3FN; }
};

/// A cache's tensors, poisoned; those that the format lacks are absent.
struct CachePool {
  CachePool() = default;
  /// The parts are views of one pool of rows [latent | scales | pe], or each of
  /// a pool of its own.
  CachePool(Random &random, const CacheSpec &spec, int64_t pages, bool onePool);

  /// Writes the tensors to the fields of an operation's parameters.
  template <typename Params> void set(Params &params) const {
    params.cache_latent = latent.get();
    params.cache_pe = pe.get();
    params.cache_scales = scales.get();
    params.latent_scale = latentScale.get();
    params.pe_scale = peScale.get();
  }
  /// The same rows and scales in one pool, or in several.
  CachePool moved(Random &random, const CacheSpec &spec, bool toOnePool) const;
  /// The values that a reader of the rows sees.
  reference::Array latentValues() const;
  reference::Array peValues() const;

  TestTensor latent, pe, scales;
  TestTensor latentScale, peScale; ///< Scalars.
};

/// A scalar of f32.
TestTensor makeScalar(float value);

/// A scale that leaves random values in the format's range, or beyond it.
float randomScale(Random &random);

/// One of the formats with an fp8 part: one scale a part, block scales, or one
/// part left in 16 bits.
CacheSpec randomFp8Spec(Random &random);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_CACHEPOOL_H
