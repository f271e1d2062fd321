//===- AttentionInputs.cu - Random operands, drawn on a GPU ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionInputs.h"

#include "AttentionOperands.h"
#include "DeviceBuffer.h"

using namespace mla;
using namespace mla::test;

namespace {

constexpr int numThreads = 256;

/// A normally distributed number for each `i` (Box and Muller).
__device__ float normalOf(uint64_t seed, uint64_t i) {
  // splitmix64
  uint64_t bits = seed * 0xd1342543de82ef95 + i * 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  bits ^= bits >> 31;
  float radius = (static_cast<float>(bits >> 40) + 0.5f) * 0x1p-24f;
  float angle = static_cast<float>(bits & 0xffffff) * 0x1p-24f;
  return sqrtf(-2 * logf(radius)) * cospif(2 * angle);
}

template <typename T>
__device__ void storeNormal(char *to, uint64_t seed, uint64_t i, float size) {
  float value = normalOf(seed, i) * size;
  *reinterpret_cast<T *>(to) = static_cast<T>(fminf(fmaxf(value, -1), 1));
}

template <typename T>
__global__ void fillKernel(View to, int rank, int64_t count, uint64_t seed,
                           float size) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
       i < count; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    char *at = to.data;
    int64_t rest = i;
    for (int d = rank - 1; d >= 0; rest /= to.shape[d--])
      at += rest % to.shape[d] * to.strides[d];
    storeNormal<T>(at, seed, i, size);
  }
}

template <typename T>
__global__ void fillRowsKernel(const __grid_constant__ Operands p, View part,
                               uint64_t seed, float size) {
  int sequence = static_cast<int>(blockIdx.y);
  int64_t length = p.kvLens.integer(sequence), width = part.shape[2];
  for (int64_t position = blockIdx.x; position < length; position += gridDim.x)
    for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
      storeNormal<T>(const_cast<char *>(p.rowOf(part, sequence, position)) +
                         i * part.strides[2],
                     seed, ((uint64_t(sequence) << 32) + position) * width + i,
                     size);
}

} // namespace

void mla::test::fillNormal(const mla_tensor &tensor, uint64_t seed, float size,
                           cudaStream_t stream) {
  int64_t count = 1;
  for (int i = 0; i < tensor.rank; ++i)
    count *= tensor.shape[i];
  withType(tensor.dtype, [&](auto number) {
    fillKernel<decltype(number)><<<512, numThreads, 0, stream>>>(
        View(&tensor), tensor.rank, count, seed, size);
  });
  requireCuda(cudaGetLastError());
}

void mla::test::fillHeldRows(const mla_tensor &part,
                             const mla_absorbed_attention_params &params,
                             uint64_t seed, float size, cudaStream_t stream) {
  Operands p(params);
  auto seqs = static_cast<unsigned>(p.kvLens.shape[0]);
  if (seqs == 0)
    return;
  withType(part.dtype, [&](auto number) {
    fillRowsKernel<decltype(number)>
        <<<dim3(128, seqs), 128, 0, stream>>>(p, View(&part), seed, size);
  });
  requireCuda(cudaGetLastError());
}
