//===- CudaKernels.h - Kernels that reach a GPU's limits --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CUDAKERNELS_H
#define MLA_BENCH_CUDAKERNELS_H

#include <cuda_runtime_api.h>

#include <cstdint>

namespace mla::bench {

/// Each enqueues one kernel over `sms` multiprocessors. `sink` is device memory
/// that a kernel writes only if a result is what it never is, so that nothing
/// is left out. Bytes are multiples of 16.
struct CudaKernels {
  /// Whether blocks stay and take piece after piece, or one comes for each
  /// piece, in memory's order. Which is quicker depends.
  enum Blocks { Staying, InOrder };

  int sms;
  uint32_t *sink;

  cudaError_t read(const void *from, uint64_t bytes, cudaStream_t stream,
                   Blocks blocks = Staying) const;
  cudaError_t copy(void *to, const void *from, uint64_t bytes,
                   cudaStream_t stream, Blocks blocks = Staying) const;
  cudaError_t write(void *to, uint64_t bytes, cudaStream_t stream,
                    Blocks blocks = Staying) const;
  /// Independent f32 multiply-adds; `flops` says how many operations.
  cudaError_t multiplyAdd(double &flops, cudaStream_t stream) const;
  /// One thread that does nothing.
  static cudaError_t nothing(cudaStream_t stream);

private:
  unsigned gridOf(uint64_t bytes, Blocks blocks) const;
};

} // namespace mla::bench

#endif // MLA_BENCH_CUDAKERNELS_H
