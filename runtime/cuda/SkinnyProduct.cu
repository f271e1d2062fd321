//===- SkinnyProduct.cu - A product for each head, of few tokens ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What counts is how soon the weights are there. A block of four warps has
// 16 KiB of them, all on their way at once; its warps split the sum, and add up
// in shared memory what each of them has. So 16 heads of the usual sizes are a
// block for each of 128 multiprocessors, and 128 heads are the eight blocks
// that each of them holds.
//
//===----------------------------------------------------------------------===//

#include "SkinnyProduct.h"

#include "SkinnyUnits.h"
#include "Vectors.h"

using namespace mla;
using namespace mla::cuda;

namespace {

/// Warps of a block, at most: as many as the sum needs.
constexpr int mostWarps = 8;
/// Threads that a multiprocessor holds at once, where there are 8 tokens.
constexpr int threadsOfSM = 1024;

/// Eight terms of each step, of the token of the lane's group; 0 where there
/// are none.
template <int steps>
__device__ void loadTokens(const Skinny &s, const char *head, int token,
                           int term, uint4 (&x)[steps]) {
  token += groupOfLane();
  term += 8 * memberOfLane();
  const char *first = head + token * s.xToken + term * int64_t{2};
#pragma unroll
  for (int i = 0; i < steps; ++i)
    x[i] = loadOnceIf(token < s.tokens && term + i * stepTerms < s.inner,
                      first + i * (stepTerms * 2));
}

/// Writes sums as outputs that lie side by side.
template <typename T>
__device__ void storeSums(const Skinny &s, char *to, const float (&sums)[1]) {
  if (s.toF32)
    *reinterpret_cast<float *>(to) = sums[0];
  else
    *reinterpret_cast<T *>(to) = narrow<T>(sums[0]);
}
template <typename T>
__device__ void storeSums(const Skinny &s, char *to, const float (&sums)[4]) {
  if (s.toF32)
    *reinterpret_cast<float4 *>(to) =
        make_float4(sums[0], sums[1], sums[2], sums[3]);
  else
    *reinterpret_cast<uint2 *>(to) = make_uint2(packPair<T>(sums[0], sums[1]),
                                                packPair<T>(sums[2], sums[3]));
}

/// A block has `Units::outputs` outputs of a head; its warp `i` has the terms
/// from i * Units::terms on. `tiles` times 8 tokens are multiplied at once.
template <typename T, typename Units, int tiles>
__global__ void __launch_bounds__(32 * mostWarps,
                                  threadsOfSM / (32 * mostWarps * tiles))
    skinnyKernel(const __grid_constant__ Skinny s) {
  constexpr int together = Units::together;
  constexpr int tokens = tiles * tileTokens;
  __shared__ __align__(16) float sums[mostWarps][tokens][Units::pitch];
  int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
  int term = warp * Units::terms;
  int h = static_cast<int>(blockIdx.x) / s.blocksOfHead;
  int output =
      (static_cast<int>(blockIdx.x) - h * s.blocksOfHead) * Units::outputs;
  const char *w = s.w + h * s.wHead, *x = s.x + h * s.xHead;

  Units weights;
  auto readWeights = [&](int i, bool exists, const char *address) {
    weights.units[i] = loadOnceIf(exists, address);
  };
  // Weights are constants: they are under way while the kernel in front ends.
  Units::visit(s, w, output, term, readWeights);
  waitForStream();

  int t = 0;
  do {
    uint4 terms[tiles][Units::steps];
#pragma unroll
    for (int i = 0; i < tiles; ++i)
      loadTokens(s, x, t + i * tileTokens, term, terms[i]);
    if (t > 0)
      __syncthreads(); // before what others still add up is overwritten
#pragma unroll
    for (int i = 0; i < tiles; ++i) {
      typename Units::Sums own = {};
      weights.multiply(own, terms[i]);
      Units::put(sums[warp][i * tileTokens], own);
    }
    __syncthreads();
    constexpr int threadsOfToken = Units::outputs / together;
    int warps = static_cast<int>(blockDim.x) / 32;
    for (int i = thread; i < tokens * threadsOfToken; i += 32 * warps) {
      int token = i / threadsOfToken;
      int column = i % threadsOfToken * together;
      if (t + token >= s.tokens || output + column >= s.outer)
        continue;
      float all[together] = {};
      for (int other = 0; other < warps; ++other)
#pragma unroll
        for (int j = 0; j < together; ++j)
          all[j] += sums[other][token][column + j];
      storeSums<T>(s,
                   s.out + (t + token) * s.outToken + h * s.outHead +
                       (output + column) * s.outColumn,
                   all);
    }
    t += tokens;
  } while (tiles > 1 && t < s.tokens); // one tile has all that there are
}

using Kernel = void (*)(Skinny);

template <typename T> Kernel chooseUnits(bool transposed, int64_t tokens) {
  bool many = tokens > tileTokens;
  if (transposed)
    return many ? skinnyKernel<T, UnitsAlong<T>, 2>
                : skinnyKernel<T, UnitsAlong<T>, 1>;
  return many ? skinnyKernel<T, UnitsAcross<T>, 2>
              : skinnyKernel<T, UnitsAcross<T>, 1>;
}

Kernel choose(uint32_t dtype, bool transposed, int64_t tokens) {
  if (dtype == MLA_DTYPE_BF16)
    return chooseUnits<__nv_bfloat16>(transposed, tokens);
  if (dtype == MLA_DTYPE_F16)
    return chooseUnits<__half>(transposed, tokens);
  return nullptr;
}

} // namespace

cudaError_t mla::cuda::loadSkinnyProduct() {
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
    for (bool transposed : {false, true})
      for (int tokens : {tileTokens, 2 * tileTokens})
        if (cudaError_t error = loadKernels(choose(dtype, transposed, tokens)))
          return error;
  return cudaSuccess;
}

mla_status mla::cuda::skinnyProduct(mla_context &ctx, const char *op,
                                    const HeadOperands &operands,
                                    bool transposed, bool &taken) {
  const Tensor<3> &x = operands.x, &out = operands.out;
  Tensor<3> w = operands.w; // as it lies in memory
  if (!transposed) {
    std::swap(w.shape[1], w.shape[2]);
    std::swap(w.strides[1], w.strides[2]);
  }
  Kernel kernel = choose(x.dtype, transposed, out.shape[0]);
  bool toF32 = out.dtype == MLA_DTYPE_F32;
  int64_t outputs =
      transposed ? UnitsAlong<__half>::outputs : UnitsAcross<__half>::outputs;
  int64_t terms =
      transposed ? UnitsAlong<__half>::terms : UnitsAcross<__half>::terms;
  int64_t blocksOfHead = ceilDiv(out.shape[2], outputs);
  int64_t blocks = blocksOfHead * out.shape[1];
  int64_t warps = ceilDiv(x.shape[2], terms);
  const int64_t most = INT_MAX / 2;
  taken = kernel && x && w && w.dtype == x.dtype &&
          (toF32 || out.dtype == x.dtype) && x.hasVectors(16) &&
          w.hasVectors(16) && (transposed || out.hasVectors(toF32 ? 16 : 8)) &&
          blocks <= most && out.shape[0] <= most && out.shape[2] <= most &&
          warps <= mostWarps;
  if (!taken)
    return MLA_STATUS_OK;
  Skinny s;
  s.x = x.data;
  s.w = w.data;
  s.out = out.data;
  s.xToken = x.strides[0];
  s.xHead = x.strides[1];
  s.wHead = w.strides[0];
  s.wRow = w.strides[1];
  s.outToken = out.strides[0];
  s.outHead = out.strides[1];
  s.outColumn = out.strides[2];
  s.tokens = static_cast<int>(out.shape[0]);
  s.inner = static_cast<int>(x.shape[2]);
  s.outer = static_cast<int>(out.shape[2]);
  s.blocksOfHead = static_cast<int>(blocksOfHead);
  s.toF32 = toF32;
  dim3 grid(static_cast<unsigned>(blocks));
  dim3 block(static_cast<unsigned>(32 * warps));
  if (stateOf(ctx).weightsWritten)
    return launch(ctx, op, kernel, grid, block, 0, s);
  return launchEarly(ctx, op, kernel, grid, block, 0, s);
}
