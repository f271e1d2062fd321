//===- AppendCall.h - A call of mla_append as the peers see it --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_PEERS_APPENDCALL_H
#define MLA_BENCH_PEERS_APPENDCALL_H

#include "mla_runtime/runtime.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <optional>

namespace mla::bench::peers {

/// Rows of elements side by side, found by two indices: token and head, or page
/// and line. Null data: absent. Strides are in bytes.
struct Rows {
  char *data = nullptr;
  int64_t outer = 0, inner = 0;

  __host__ __device__ explicit operator bool() const { return data; }
  __host__ __device__ char *at(int64_t i, int64_t j = 0) const {
    return data + i * outer + j * inner;
  }
  /// The same from byte `begin` of each row on.
  Rows from(int64_t begin) const {
    return {data ? data + begin : nullptr, outer, inner};
  }
};

/// A vector of i32 or i64.
struct Integers {
  const char *data = nullptr;
  int64_t stride = 0; ///< Bytes.
  bool wide = false;

  __host__ __device__ int64_t at(int64_t i) const {
    const char *address = data + i * stride;
    return wide ? *reinterpret_cast<const int64_t *>(address)
                : *reinterpret_cast<const int32_t *>(address);
  }
};

/// What the rows of a cache hold.
enum class RowFormat {
  Same,     ///< The type of the inputs.
  Fp8,      ///< e4m3 with one scale a part.
  Fp8Blocks ///< e4m3 latents with a scale for 128 columns; pe of the inputs'.
};

/// The operands of a call that the peers take. Passed to kernels by value.
struct AppendCall {
  uint32_t dtype = MLA_DTYPE_NONE; ///< Of the inputs: f16 or bf16.
  int64_t tokens = 0;
  int heads = 0;  ///< 0: no query.
  int latent = 0; ///< Columns; 0: no cache.
  int nope = 0;   ///< Columns; 0: no q_nope.
  int pe = 0;     ///< R.
  Rows cKv, kPe, qNope, qPe;
  /// The query's first columns, its last `pe` ones, and what else is written.
  Rows query, queryPe, kPeOut, cacheLatent, cachePe, scales;
  bool fp8Query = false;
  RowFormat format = RowFormat::Same;
  int64_t page = 1; ///< Lines of a page.
  Integers slots, positions;
  Rows table;
  const float *queryScale = nullptr, *latentScale = nullptr, *peScale = nullptr;
  int64_t style = MLA_ROPE_NONE;
  /// A rotated value is rounded to `dtype` before it is quantized.
  bool through = false;

  /// Null for a call that the peers don't take (AppendPeer::takes).
  static std::optional<AppendCall> read(const mla_append_params &params);

  bool rotates() const { return style != MLA_ROPE_NONE; }
};

} // namespace mla::bench::peers

#endif // MLA_BENCH_PEERS_APPENDCALL_H
