//===- Tensor.h - Strided tensors as the CUDA kernels see them ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_TENSOR_H
#define MLA_RUNTIME_CUDA_TENSOR_H

#include "mla_runtime/runtime.h"

#include <cuda_runtime_api.h>

namespace mla {
namespace cuda {

/// Bytes of an element; 0 for an absent type.
__host__ __device__ constexpr int elementSize(uint32_t dtype) {
  switch (dtype) {
  case MLA_DTYPE_F32:
  case MLA_DTYPE_I32:
    return 4;
  case MLA_DTYPE_F16:
  case MLA_DTYPE_BF16:
    return 2;
  case MLA_DTYPE_F64:
  case MLA_DTYPE_I64:
    return 8;
  case MLA_DTYPE_NONE:
    return 0;
  default:
    return 1;
  }
}

/// An mla_tensor of rank `Rank` with its address worked out, to be passed to a
/// kernel by value. Null data: absent, or without elements. Strides are in
/// bytes.
template <int Rank> struct Tensor {
  char *data = nullptr;
  uint32_t dtype = MLA_DTYPE_NONE;
  int64_t shape[Rank > 0 ? Rank : 1] = {};
  int64_t strides[Rank > 0 ? Rank : 1] = {};

  Tensor() = default;

  explicit Tensor(const mla_tensor *tensor) {
    if (!tensor)
      return;
    dtype = tensor->dtype;
    bool empty = false;
    for (int i = 0; i < Rank; ++i) {
      shape[i] = tensor->shape[i];
      empty |= shape[i] == 0;
    }
    // A stride that leads to no element may be any number, and is not computed
    // with.
    for (int i = 0; i < Rank; ++i)
      strides[i] = empty || shape[i] == 1
                       ? elementSize(dtype)
                       : tensor->strides[i] * elementSize(dtype);
    if (!empty)
      data = static_cast<char *>(tensor->data) + tensor->byte_offset;
  }

  __host__ __device__ explicit operator bool() const { return data; }

  /// Address of the element at the leading `indices`, 0 in the other dims.
  template <typename... Index>
  __host__ __device__ char *at(Index... indices) const {
    int64_t offset = 0;
    int i = 0;
    ((offset += static_cast<int64_t>(indices) * strides[i++]), ...);
    return data + offset;
  }

  /// Elements of a row, what the last dim spans; 0 for an absent tensor.
  __host__ __device__ int64_t width() const { return shape[Rank - 1]; }

  /// The columns [begin, begin + count) of every row.
  Tensor columns(int64_t begin, int64_t count) const {
    Tensor result = *this;
    if (data)
      result.data += begin * strides[Rank - 1];
    result.shape[Rank - 1] = count;
    return result;
  }

  /// Whether every row starts at a multiple of `bytes` and its elements lie
  /// side by side, in whole units of so many bytes.
  bool hasVectors(int bytes) const {
    if (!data)
      return true;
    int size = elementSize(dtype);
    bool result = reinterpret_cast<uintptr_t>(data) % bytes == 0 &&
                  strides[Rank - 1] == size && width() * size % bytes == 0;
    for (int i = 0; i + 1 < Rank; ++i)
      result &= shape[i] == 1 || strides[i] % bytes == 0;
    return result;
  }
};

/// Element `i` of an i32 or i64 tensor of rank 1.
__device__ inline int64_t loadInt(const Tensor<1> &tensor, int64_t i) {
  const char *address = tensor.at(i);
  if (tensor.dtype == MLA_DTYPE_I64)
    return *reinterpret_cast<const int64_t *>(address);
  return *reinterpret_cast<const int32_t *>(address);
}

/// Element `i` as an i32, cut off where it is i64, without asking what it is:
/// what kernels start with is to be little code.
__device__ inline int loadLow(const Tensor<1> &tensor, int64_t i) {
  return *reinterpret_cast<const int32_t *>(tensor.at(i));
}

/// Element (i, j) of an i32 tensor of rank 2.
__device__ inline int64_t loadInt(const Tensor<2> &tensor, int64_t i,
                                  int64_t j) {
  return *reinterpret_cast<const int32_t *>(tensor.at(i, j));
}

__device__ inline void storeInt(const Tensor<1> &tensor, int64_t i,
                                int64_t value) {
  char *address = tensor.at(i);
  if (tensor.dtype == MLA_DTYPE_I64)
    *reinterpret_cast<int64_t *>(address) = value;
  else
    *reinterpret_cast<int32_t *>(address) = static_cast<int32_t>(value);
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_TENSOR_H
