//===- Strided.h - What kernels that go by elements walk over -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_STRIDED_H
#define MLA_RUNTIME_CUDA_STRIDED_H

#include "Tensor.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace mla {
namespace cuda {

/// Views of one shape, in the simplest dims that all of them have: none of size
/// 1, side by side ones merged, and ordered by the first view's strides, the
/// smallest last, so that neighbouring threads write neighbouring bytes.
/// Passed to kernels by value. Strides are in bytes.
template <int Views> struct Strided {
  int rank = 1;
  int64_t shape[MLA_MAX_RANK] = {1, 1, 1, 1, 1, 1};
  char *data[Views] = {};
  int64_t strides[Views][MLA_MAX_RANK] = {};

  /// The dims [begin, end) of `tensors`, which have elements.
  Strided(std::initializer_list<const mla_tensor *> tensors, int begin,
          int end) {
    int view = 0;
    for (const mla_tensor *tensor : tensors) {
      data[view] = static_cast<char *>(tensor->data) + tensor->byte_offset;
      int used = 0;
      for (int i = begin; i < end; ++i) {
        if (tensor->shape[i] == 1)
          continue;
        shape[used] = tensor->shape[i];
        strides[view][used++] = tensor->strides[i] * elementSize(tensor->dtype);
      }
      rank = std::max(used, 1);
      ++view;
    }
    sort();
    merge();
  }

  int64_t count() const {
    int64_t result = 1;
    for (int i = 0; i < rank; ++i)
      result *= shape[i];
    return result;
  }

  /// The widest unit of at most 16 bytes in which the innermost dim of every
  /// view can be moved, where its elements have `size` bytes. Its shape and
  /// strides are in that unit afterwards.
  int vectorize(int size) {
    int64_t &inner = shape[rank - 1];
    int unit = 16;
    auto fits = [&](int bytes) {
      bool result = inner * size % bytes == 0;
      for (int view = 0; view < Views; ++view) {
        result &= reinterpret_cast<uintptr_t>(data[view]) % bytes == 0;
        for (int i = 0; i + 1 < rank; ++i)
          result &= strides[view][i] % bytes == 0;
      }
      return result;
    };
    bool contiguous = inner > 1;
    for (int view = 0; view < Views; ++view)
      contiguous &= strides[view][rank - 1] == size;
    while (unit > size && !(contiguous && fits(unit)))
      unit /= 2;
    if (unit > size) {
      inner = inner * size / unit;
      for (int view = 0; view < Views; ++view)
        strides[view][rank - 1] = unit;
    }
    return unit;
  }

  /// Finds the address in each view of element `index` of the first `dims`
  /// dims, counted with the last of them fastest.
  template <typename Index>
  __device__ void find(Index index, int dims, char *(&address)[Views]) const {
    int64_t offset[Views] = {};
#pragma unroll
    for (int i = MLA_MAX_RANK - 1; i > 0; --i) {
      if (i >= dims)
        continue;
      Index size = static_cast<Index>(shape[i]), rest = index / size;
      Index at = index - rest * size;
      index = rest;
#pragma unroll
      for (int view = 0; view < Views; ++view)
        offset[view] += static_cast<int64_t>(at) * strides[view][i];
    }
#pragma unroll
    for (int view = 0; view < Views; ++view)
      address[view] =
          data[view] + offset[view] +
          (dims > 0 ? static_cast<int64_t>(index) * strides[view][0] : 0);
  }

private:
  void sort() {
    for (int i = 1; i < rank; ++i)
      for (int j = i; j > 0 && strides[0][j - 1] < strides[0][j]; --j) {
        std::swap(shape[j - 1], shape[j]);
        for (int view = 0; view < Views; ++view)
          std::swap(strides[view][j - 1], strides[view][j]);
      }
  }

  void merge() {
    int last = 0;
    for (int i = 1; i < rank; ++i) {
      bool adjacent = true;
      for (int view = 0; view < Views; ++view)
        adjacent &= strides[view][last] == shape[i] * strides[view][i];
      last += !adjacent;
      shape[last] = adjacent ? shape[last] * shape[i] : shape[i];
      for (int view = 0; view < Views; ++view)
        strides[view][last] = strides[view][i];
    }
    rank = last + 1;
    std::fill(shape + rank, shape + MLA_MAX_RANK, 1);
  }
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_STRIDED_H
