//===- TensorMap.h - How TMA finds the boxes of a paged cache -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_SM90_TENSORMAP_H
#define MLA_RUNTIME_CUDA_SM90_TENSORMAP_H

#include "Tensor.h"

#include <cuda.h>

namespace mla {
namespace cuda {
namespace sm90 {

/// Rows of a box: of a page, or of a block of keys where pages are longer.
constexpr int mostBoxRows = 64;
constexpr int boxRowsOf(int64_t pageSize) {
  return pageSize < mostBoxRows ? static_cast<int>(pageSize) : mostBoxRows;
}

/// Describes boxes of `boxRows` rows and 64 16-bit columns, swizzled by 128
/// bytes, of a tensor of pages, rows and columns. False where TMA can't read
/// it: strides that aren't multiples of 16 bytes, negative ones, too large
/// ones; or where the driver doesn't know of TMA.
bool makeTensorMap(CUtensorMap &map, const Tensor<3> &tensor, int boxRows);

} // namespace sm90
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_SM90_TENSORMAP_H
