//===- ExpandedKeys.h - Which keys a token of expanded attention sees -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_EXPANDEDKEYS_H
#define MLA_RUNTIME_CUDA_EXPANDEDKEYS_H

#include "AttentionTiles.h"

namespace mla {
namespace cuda {

/// The keys of one sequence that are there: consecutive rows of the tensors.
struct KeyRange {
  int64_t row = 0;      ///< Of the first one.
  int64_t position = 0; ///< Its logical position.
  int64_t count = 0;
  int64_t length = 0; ///< All keys of the sequence, there or not.
};

/// Where expanded attention's keys are and what its tokens see of them: the
/// arguments of the operation that say so.
struct ExpandedKeys {
  Offsets tokens;
  Offsets keys;     ///< Without a window.
  Tensor<1> kvLens; ///< With one.
  int64_t rows = 0; ///< Of the keys' tensors.
  int64_t windowStart = 0, windowLength = 0;
  bool causal = false;

  ExpandedKeys() = default;
  explicit ExpandedKeys(const mla_expanded_attention_params &params)
      : kvLens(params.kv_lens), rows(params.k_nope->shape[0]),
        windowStart(params.window_start), windowLength(params.window_length),
        causal(params.causal) {
    tokens = {Tensor<1>(params.cu_q), params.q->shape[0], params.first_token};
    if (windowLength == 0)
      keys = {Tensor<1>(params.cu_k), rows, 0};
  }

#ifdef __CUDACC__
  __device__ KeyRange keysOf(int64_t b) const {
    KeyRange result;
    if (windowLength > 0) {
      result.row = b * windowLength;
      result.position = windowStart;
      result.length = max(loadInt(kvLens, b), int64_t{0});
      result.count = min(windowLength, result.length - windowStart);
    } else {
      int64_t end;
      keys.range(b, result.row, end);
      result.count = result.length = end - result.row;
    }
    result.count = max(min(result.count, rows - result.row), int64_t{0});
    return result;
  }

  /// How many of its sequence's keys, the first ones, token `t` sees.
  __device__ int64_t visible(const KeyRange &range, int64_t tokensEnd,
                             int64_t t) const {
    if (!causal)
      return range.count;
    int64_t bound = range.length - (tokensEnd - 1 - t) - range.position;
    return max(min(bound, range.count), int64_t{0});
  }

  /// Records what is wrong with the metadata, with all threads of one block.
  __device__ void check(FaultRecord *fault) const {
    for (int64_t b = threadIdx.x; b < tokens.numSequences(); b += blockDim.x) {
      tokens.check(fault, FaultSite::expanded_attention_cu_q, b);
      if (windowLength > 0)
        isOutside(fault, FaultSite::expanded_attention_kv_lens, b,
                  loadInt(kvLens, b), int64_t{1} << 31);
      else
        keys.check(fault, FaultSite::expanded_attention_cu_k, b);
    }
  }
#endif
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_EXPANDEDKEYS_H
