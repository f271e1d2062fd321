//===- AttentionOperands.h - A call's operands, in kernels of the tests ---===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_ATTENTIONOPERANDS_H
#define MLA_TEST_RUNTIME_CUDA_ATTENTIONOPERANDS_H

#include "mla_runtime/runtime.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <stdexcept>
#include <string>

namespace mla {
namespace test {

/// A tensor; strides in bytes.
struct View {
  char *data = nullptr;
  uint32_t dtype = MLA_DTYPE_NONE;
  int64_t shape[3] = {}, strides[3] = {};

  explicit View(const mla_tensor *tensor) {
    if (!tensor)
      return;
    data = static_cast<char *>(tensor->data) + tensor->byte_offset;
    dtype = tensor->dtype;
    for (int i = 0; i < tensor->rank; ++i) {
      shape[i] = tensor->shape[i];
      strides[i] =
          tensor->strides[i] * static_cast<int64_t>(mla_dtype_bits(dtype) / 8);
    }
  }

  __device__ char *address(int64_t i, int64_t j = 0, int64_t k = 0) const {
    return data + i * strides[0] + j * strides[1] + k * strides[2];
  }
  __device__ int integer(int64_t i, int64_t j = 0) const {
    return *reinterpret_cast<const int *>(address(i, j));
  }
};

template <typename T> __device__ double load(const char *from) {
  return static_cast<double>(
      static_cast<float>(*reinterpret_cast<const T *>(from)));
}

__device__ inline double loadAs(uint32_t dtype, const char *from) {
  return dtype == MLA_DTYPE_F32   ? load<float>(from)
         : dtype == MLA_DTYPE_F16 ? load<__half>(from)
                                  : load<__nv_bfloat16>(from);
}

/// Calls `visit` with a number of the type that the kernels are to be of.
template <typename Visitor> void withType(uint32_t dtype, Visitor visit) {
  if (dtype == MLA_DTYPE_F32)
    visit(float());
  else if (dtype == MLA_DTYPE_F16)
    visit(__half());
  else if (dtype == MLA_DTYPE_BF16)
    visit(__nv_bfloat16());
  else
    throw std::runtime_error(std::string("dtype: expected f32, f16 or bf16, "
                                         "got ") +
                             mla_dtype_name(dtype));
}

/// The operands of a call.
struct Operands {
  explicit Operands(const mla_absorbed_attention_params &params,
                    double lseBound = 0)
      : query(params.query), latent(params.cache_latent), pe(params.cache_pe),
        pageTable(params.page_table), kvLens(params.kv_lens), cuQ(params.cu_q),
        kvBounds(params.kv_bounds), sinks(params.sinks),
        indices(params.indices), o(params.o), lse(params.lse),
        scale(params.softmax_scale), lseBound(lseBound) {}

  View query, latent, pe, pageTable, kvLens, cuQ, kvBounds, sinks, indices, o,
      lse;
  double scale, lseBound;

  __device__ int64_t heads() const { return query.shape[1]; }
  __device__ int64_t pageSize() const { return latent.shape[1]; }

  /// The sequence of a token; -1 of padding.
  __device__ int sequenceOf(int64_t token) const {
    for (int b = 0; b < kvLens.shape[0]; ++b)
      if (cuQ.integer(b) <= token && token < cuQ.integer(b + 1))
        return b;
    return -1;
  }
  /// The token's keys: positions, or entries of its indices.
  __device__ int countOf(int sequence, int64_t token) const {
    return indices.data ? static_cast<int>(indices.shape[1])
                        : boundOf(sequence, token);
  }
  /// Where key `i` of those lies; -1: it isn't seen.
  __device__ int positionOf(int sequence, int64_t token, int i) const {
    int position = indices.data ? indices.integer(token, i) : i;
    return position >= 0 && position < boundOf(sequence, token) ? position : -1;
  }
  __device__ const char *rowOf(const View &part, int sequence,
                               int position) const {
    int page = pageTable.integer(sequence, position / pageSize());
    return part.address(page, position % pageSize());
  }

private:
  __device__ int boundOf(int sequence, int64_t token) const {
    if (kvBounds.data)
      return kvBounds.integer(token);
    return max(kvLens.integer(sequence) -
                   (cuQ.integer(sequence + 1) - 1 - static_cast<int>(token)),
               0);
  }
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_ATTENTIONOPERANDS_H
