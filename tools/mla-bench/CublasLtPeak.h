//===- CublasLtPeak.h - A large matrix product ------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CUBLASLTPEAK_H
#define MLA_BENCH_CUBLASLTPEAK_H

#include "cuda/CublasLt.h"
#include "io/Result.h"

#include <vector>

namespace mla::bench {

/// out = a^T b for square, dense matrices, summed in f32, rounded to bf16; fp8
/// factors have scale 1. All in device memory. By cuBLASLt, which is loaded
/// for it, with one of the algorithms that its heuristics think the quickest.
class CublasLtProduct {
public:
  CublasLtProduct() = default;
  ~CublasLtProduct();
  CublasLtProduct(const CublasLtProduct &) = delete;

  /// `dtype` is MLA_DTYPE_BF16 or MLA_DTYPE_F8E4M3FN. `quickSums` lets fp8
  /// products be summed with the fewer bits of the tensor cores' own sums.
  io::Status open(uint32_t dtype, int64_t size, bool quickSums);

  size_t numAlgorithms() const { return algorithms.size(); }
  /// Enqueues it; an error where the algorithm can't do it after all.
  cudaError_t run(size_t algorithm, const void *a, const void *b, void *out,
                  cudaStream_t stream) const;

private:
  cublasStatus_t describe(uint32_t dtype, int64_t size, bool quickSums);

  const cuda::CublasLt *lt = nullptr;
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t in = nullptr, out = nullptr;
  void *workspace = nullptr;
  std::vector<cublasLtMatmulAlgo_t> algorithms;
};

} // namespace mla::bench

#endif // MLA_BENCH_CUBLASLTPEAK_H
