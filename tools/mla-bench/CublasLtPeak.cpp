//===- CublasLtPeak.cpp - A large matrix product --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CublasLtPeak.h"

#include "mla_runtime/runtime.h"

#include <cuda_runtime_api.h>

using namespace mla;
using namespace mla::bench;

static constexpr size_t workspaceBytes = size_t{64} << 20;

#define MLA_LT(call)                                                           \
  if (cublasStatus_t status = lt->call)                                        \
  return status

CublasLtProduct::~CublasLtProduct() {
  if (!lt)
    return;
  for (cublasLtMatrixLayout_t layout : {in, out})
    if (layout)
      lt->MatrixLayoutDestroy(layout);
  if (product)
    lt->MatmulDescDestroy(product);
  if (handle)
    lt->Destroy(handle);
  cudaFree(workspace);
}

io::Status CublasLtProduct::open(uint32_t dtype, int64_t size, bool quickSums) {
  const char *reason = nullptr;
  lt = cuda::loadCublasLt(reason);
  if (!lt)
    return io::Error{std::string("expected ") + cuda::cublasLtFile +
                     ", got: " + reason};
  if (cudaError_t error = cudaMalloc(&workspace, workspaceBytes)) {
    cudaGetLastError(); // not to be met again
    return io::Error{std::string("expected 64 MiB of device memory, got: ") +
                     cudaGetErrorString(error)};
  }
  cublasStatus_t status = describe(dtype, size, quickSums);
  if (status == CUBLAS_STATUS_SUCCESS && algorithms.empty())
    status = CUBLAS_STATUS_NOT_SUPPORTED;
  if (status != CUBLAS_STATUS_SUCCESS)
    return io::Error{
        std::string("expected a ") + mla_dtype_name(dtype) +
        " product of cuBLASLt, got: " + lt->GetStatusString(status)};
  return {};
}

cublasStatus_t CublasLtProduct::describe(uint32_t dtype, int64_t size,
                                         bool quickSums) {
  MLA_LT(Create(&handle));
  MLA_LT(MatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  // The only order of fp8 factors that Hopper multiplies.
  cublasOperation_t turned = CUBLAS_OP_T;
  MLA_LT(MatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSA, &turned,
                                sizeof(turned)));
  auto quick = static_cast<int8_t>(quickSums);
  MLA_LT(MatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_FAST_ACCUM,
                                &quick, sizeof(quick)));
  auto n = static_cast<uint64_t>(size);
  MLA_LT(MatrixLayoutCreate(
      &in, dtype == MLA_DTYPE_BF16 ? CUDA_R_16BF : CUDA_R_8F_E4M3, n, n, size));
  MLA_LT(MatrixLayoutCreate(&out, CUDA_R_16BF, n, n, size));

  const int most = 8;
  cublasLtMatmulHeuristicResult_t found[most] = {};
  int count = 0;
  cublasLtMatmulPreference_t preference = nullptr;
  MLA_LT(MatmulPreferenceCreate(&preference));
  cublasStatus_t status = lt->MatmulPreferenceSetAttribute(
      preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspaceBytes,
      sizeof(workspaceBytes));
  if (status == CUBLAS_STATUS_SUCCESS)
    status = lt->MatmulAlgoGetHeuristic(handle, product, in, in, out, out,
                                        preference, most, found, &count);
  lt->MatmulPreferenceDestroy(preference);
  if (status != CUBLAS_STATUS_SUCCESS)
    return status;
  for (int i = 0; i < count; ++i)
    if (found[i].state == CUBLAS_STATUS_SUCCESS)
      algorithms.push_back(found[i].algo);
  return CUBLAS_STATUS_SUCCESS;
}

cudaError_t CublasLtProduct::run(size_t algorithm, const void *a, const void *b,
                                 void *result, cudaStream_t stream) const {
  // Without scales' addresses they are 1.
  const float one = 1, zero = 0;
  cublasStatus_t status = lt->Matmul(
      handle, product, &one, a, in, b, in, &zero, result, out, result, out,
      &algorithms[algorithm], workspace, workspaceBytes, stream);
  if (status == CUBLAS_STATUS_SUCCESS)
    return cudaSuccess;
  cudaGetLastError(); // not to be met again
  return cudaErrorNotSupported;
}
