//===- View.h - Strided tensors as the CPU kernels see them ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CPU_VIEW_H
#define MLA_RUNTIME_CPU_VIEW_H

#include "mla_runtime/runtime.h"

#include <algorithm>
#include <cstdint>

namespace mla {
namespace cpu {

/// An mla_tensor with its address worked out. A null tensor gives a view that
/// is false and has the width 0. A "row" is what the last dim spans.
class View {
public:
  View() = default;

  explicit View(const mla_tensor *tensor) {
    if (!tensor)
      return;
    present = true;
    base = static_cast<char *>(tensor->data);
    if (base)
      base += tensor->byte_offset;
    dtype = tensor->dtype;
    elementSize = mla_dtype_bits(tensor->dtype) / 8;
    rank = tensor->rank;
    std::copy_n(tensor->shape, rank, shape);
    // A stride that leads to no element may be any number, and is not computed
    // with.
    bool empty = numElements() == 0;
    for (int32_t i = 0; i < rank; ++i)
      strides[i] = empty || shape[i] == 1 ? 1 : tensor->strides[i];
  }

  explicit operator bool() const { return present; }

  int64_t dim(int32_t i) const { return shape[i]; }

  /// Elements of a row; 0 for an absent tensor.
  int64_t width() const { return present && rank > 0 ? shape[rank - 1] : 0; }
  /// Elements between the elements of a row.
  int64_t step() const { return rank > 0 ? strides[rank - 1] : 1; }

  int64_t numElements() const {
    // Where there is none the other sizes may be any numbers.
    if (std::find(shape, shape + rank, 0) != shape + rank)
      return 0;
    int64_t count = 1;
    for (int32_t i = 0; i < rank; ++i)
      count *= shape[i];
    return count;
  }

  /// Address of the element at the leading `indices`, 0 in the other dims.
  template <typename... Index> char *at(Index... indices) const {
    int64_t offset = 0;
    int32_t i = 0;
    ((offset += static_cast<int64_t>(indices) * strides[i++]), ...);
    // Rows without elements have no address.
    return base ? base + offset * elementSize : nullptr;
  }

  /// The view's columns [begin, begin + count).
  View columns(int64_t begin, int64_t count) const {
    View result = *this;
    if (!present)
      return result;
    if (base)
      result.base = base + begin * step() * elementSize;
    result.shape[rank - 1] = count;
    return result;
  }

  /// The tensor at index `i` of the first dim.
  View slice(int64_t i) const {
    View result = *this;
    result.base = at(i);
    --result.rank;
    for (int32_t d = 0; d < result.rank; ++d) {
      result.shape[d] = shape[d + 1];
      result.strides[d] = strides[d + 1];
    }
    return result;
  }

  char *base = nullptr;
  int64_t elementSize = 0;
  uint32_t dtype = MLA_DTYPE_NONE;
  int32_t rank = 0;
  bool present = false;
  int64_t shape[MLA_MAX_RANK] = {};
  int64_t strides[MLA_MAX_RANK] = {};
};

/// Calls `visit(address in a, address in b)` for every row of two views of one
/// shape.
template <typename Visitor>
void forEachRow(const View &a, const View &b, Visitor visit) {
  if (a.numElements() == 0)
    return;
  int64_t index[MLA_MAX_RANK] = {};
  char *rowA = a.base, *rowB = b.base;
  while (true) {
    visit(rowA, rowB);
    int32_t d = a.rank - 2;
    for (; d >= 0; --d) {
      rowA += a.strides[d] * a.elementSize;
      rowB += b.strides[d] * b.elementSize;
      if (++index[d] < a.shape[d])
        break;
      rowA -= index[d] * a.strides[d] * a.elementSize;
      rowB -= index[d] * b.strides[d] * b.elementSize;
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

/// Element `i` of an i32 or i64 tensor of rank 1.
inline int64_t loadInt(const View &view, int64_t i) {
  const char *address = view.at(i);
  if (view.dtype == MLA_DTYPE_I64)
    return *reinterpret_cast<const int64_t *>(address);
  return *reinterpret_cast<const int32_t *>(address);
}

/// Element (i, j) of an i32 tensor of rank 2.
inline int64_t loadInt(const View &view, int64_t i, int64_t j) {
  return *reinterpret_cast<const int32_t *>(view.at(i, j));
}

inline void storeInt(const View &view, int64_t i, int64_t value) {
  char *address = view.at(i);
  if (view.dtype == MLA_DTYPE_I64)
    *reinterpret_cast<int64_t *>(address) = value;
  else
    *reinterpret_cast<int32_t *>(address) = static_cast<int32_t>(value);
}

/// Element (i, ...) of an f32 tensor.
template <typename... Index>
float &floatAt(const View &view, Index... indices) {
  return *reinterpret_cast<float *>(view.at(indices...));
}

} // namespace cpu
} // namespace mla

#endif // MLA_RUNTIME_CPU_VIEW_H
