//===- TensorMap.cpp - How TMA finds the boxes of a paged cache -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "sm90/TensorMap.h"

#include <cudaTypedefs.h>

using namespace mla;
using namespace mla::cuda;

/// The driver's cuTensorMapEncodeTiled, which touches no GPU; null without one.
static PFN_cuTensorMapEncodeTiled_v12000 findEncoder() {
  void *function = nullptr;
  cudaDriverEntryPointQueryResult result;
  if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                       12000, cudaEnableDefault,
                                       &result) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  return result == cudaDriverEntryPointSuccess
             ? reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function)
             : nullptr;
}

bool mla::cuda::sm90::makeTensorMap(CUtensorMap &map, const Tensor<3> &tensor,
                                    int boxRows) {
  static const auto encode = findEncoder();
  if (!encode || !tensor)
    return false;
  const cuuint64_t sizes[3] = {static_cast<cuuint64_t>(tensor.shape[2]),
                               static_cast<cuuint64_t>(tensor.shape[1]),
                               static_cast<cuuint64_t>(tensor.shape[0])};
  // The stride of a single page may be anything.
  int64_t row = tensor.strides[1];
  int64_t page =
      tensor.shape[0] == 1 ? row * tensor.shape[1] : tensor.strides[0];
  if (row < 0 || page < 0)
    return false;
  const cuuint64_t strides[2] = {static_cast<cuuint64_t>(row),
                                 static_cast<cuuint64_t>(page)};
  const cuuint32_t box[3] = {64, static_cast<cuuint32_t>(boxRows), 1};
  const cuuint32_t steps[3] = {1, 1, 1};
  return encode(&map,
                tensor.dtype == MLA_DTYPE_BF16
                    ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
                    : CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
                3, tensor.data, sizes, strides, box, steps,
                CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}
