//===- CudaKernels.cu - Kernels that reach a GPU's limits -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaKernels.h"

using namespace mla::bench;

namespace {

constexpr int threads = 512;
/// 16-byte accesses of a thread that are under way at once.
constexpr int unrolled = 8;
constexpr int chains = 16, rounds = 4096;

/// Calls `visit` with the units of 16 bytes of this thread, some at a time.
/// Blocks go through the memory side by side.
template <typename Visitor>
__device__ void forUnits(uint64_t count, Visitor visit) {
  const uint64_t step = uint64_t{threads} * unrolled;
  for (uint64_t base = blockIdx.x * step; base < count;
       base += gridDim.x * step) {
#pragma unroll
    for (int i = 0; i < unrolled; ++i) {
      uint64_t at = base + i * threads + threadIdx.x;
      if (at < count)
        visit(i, at);
    }
  }
}

__global__ void __launch_bounds__(threads)
    readKernel(const uint4 *from, uint64_t count, uint32_t *sink) {
  uint32_t sums[unrolled] = {};
  forUnits(count, [&](int i, uint64_t at) {
    uint4 unit = from[at];
    sums[i] += unit.x ^ unit.y ^ unit.z ^ unit.w;
  });
  uint32_t sum = 0;
  for (uint32_t one : sums)
    sum = sum * 31 + one;
  if (sum == 0x5bd1e995u)
    *sink = sum;
}

__global__ void __launch_bounds__(threads)
    copyKernel(uint4 *to, const uint4 *from, uint64_t count) {
  const uint64_t step = uint64_t{threads} * unrolled;
  for (uint64_t base = blockIdx.x * step; base < count;
       base += gridDim.x * step) {
    uint4 units[unrolled];
#pragma unroll
    for (int i = 0; i < unrolled; ++i)
      if (uint64_t at = base + i * threads + threadIdx.x; at < count)
        units[i] = from[at];
#pragma unroll
    for (int i = 0; i < unrolled; ++i)
      if (uint64_t at = base + i * threads + threadIdx.x; at < count)
        to[at] = units[i];
  }
}

__global__ void __launch_bounds__(threads)
    writeKernel(uint4 *to, uint64_t count, uint32_t value) {
  forUnits(count, [&](int, uint64_t at) {
    to[at] = make_uint4(value, value, value, value);
  });
}

__global__ void __launch_bounds__(threads)
    multiplyAddKernel(float factor, uint32_t *sink) {
  float sums[chains];
#pragma unroll
  for (int i = 0; i < chains; ++i)
    sums[i] = static_cast<float>(threadIdx.x + i);
  for (int round = 0; round < rounds; ++round)
#pragma unroll
    for (int i = 0; i < chains; ++i)
      sums[i] = fmaf(sums[i], factor, factor);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < chains; ++i)
    sum += sums[i];
  if (sum == -1.0f) // all terms are positive
    *sink = 1;
}

__global__ void emptyKernel() {}

} // namespace

unsigned CudaKernels::gridOf(uint64_t bytes, Blocks blocks) const {
  const uint64_t piece = uint64_t{threads} * unrolled * 16;
  return blocks == Staying ? static_cast<unsigned>(sms) * 4
                           : static_cast<unsigned>((bytes + piece - 1) / piece);
}

cudaError_t CudaKernels::read(const void *from, uint64_t bytes,
                              cudaStream_t stream, Blocks blocks) const {
  readKernel<<<gridOf(bytes, blocks), threads, 0, stream>>>(
      static_cast<const uint4 *>(from), bytes / 16, sink);
  return cudaGetLastError();
}

cudaError_t CudaKernels::copy(void *to, const void *from, uint64_t bytes,
                              cudaStream_t stream, Blocks blocks) const {
  copyKernel<<<gridOf(bytes, blocks), threads, 0, stream>>>(
      static_cast<uint4 *>(to), static_cast<const uint4 *>(from), bytes / 16);
  return cudaGetLastError();
}

cudaError_t CudaKernels::write(void *to, uint64_t bytes, cudaStream_t stream,
                               Blocks blocks) const {
  writeKernel<<<gridOf(bytes, blocks), threads, 0, stream>>>(
      static_cast<uint4 *>(to), bytes / 16, 1);
  return cudaGetLastError();
}

cudaError_t CudaKernels::multiplyAdd(double &flops, cudaStream_t stream) const {
  int blocks = sms * 4;
  flops = 2.0 * blocks * threads * chains * rounds;
  multiplyAddKernel<<<blocks, threads, 0, stream>>>(0.5f, sink);
  return cudaGetLastError();
}

cudaError_t CudaKernels::nothing(cudaStream_t stream) {
  emptyKernel<<<1, 1, 0, stream>>>();
  return cudaGetLastError();
}
