//===- AttentionReference.cu - Absorbed attention in float64 on a GPU -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionReference.h"

#include "AttentionOperands.h"

#include <algorithm>

using namespace mla;
using namespace mla::test;

namespace {

constexpr int numThreads = 256, numWarps = numThreads / 32;
constexpr int columnsEach = 4; ///< Of a thread: of latents up to 1024.
constexpr int headsEach = 4;   ///< Of a block of threads.

__host__ __device__ int64_t tilesOf(int64_t heads) {
  return (heads + headsEach - 1) / headsEach;
}

__device__ double sumOfWarp(double value) {
  for (int step = 16; step > 0; step /= 2)
    value += __shfl_xor_sync(~0u, value, step);
  return value;
}

/// Some heads of a token, which read the same keys: what they are to be, and
/// how they differ from that.
template <typename T> class Heads {
public:
  __device__ Heads(const Operands &p, int64_t token, int64_t first,
                   double *logits, int64_t pitch)
      : p(p), token(token), first(first),
        heads(static_cast<int>(
            min(p.heads() - first, static_cast<int64_t>(headsEach)))),
        sequence(p.sequenceOf(token)),
        count(sequence < 0 ? 0 : p.countOf(sequence, token)), logits(logits),
        pitch(pitch) {}

  /// `query` has room for all columns of `headsEach` heads.
  __device__ void compute(double *query) {
    for (int h = 0; h < heads; ++h)
      for (int64_t i = threadIdx.x; i < width(); i += numThreads)
        query[h * width() + i] = load<T>(p.query.address(token, first + h, i));
    __syncthreads();
    double most[headsEach];
    multiplyKeys(query, most);
#pragma unroll
    for (int h = 0; h < headsEach; ++h)
      top[h] = fmax(acrossWarps(most[h], -INFINITY, larger), sinkOf(h));
    addValues();
#pragma unroll
    for (int h = 0; h < headsEach; ++h)
      if (sinkOf(h) > -INFINITY)
        total[h] += exp(sinkOf(h) - top[h]);
  }

  __device__ void compare(AttentionDifference &to) {
#pragma unroll
    for (int h = 0; h < headsEach; ++h) {
      if (h >= heads)
        break;
      double wrong = 0, worst = 0, product = 0, squares = 0;
#pragma unroll
      for (int j = 0; j < columnsEach; ++j) {
        int64_t column = threadIdx.x + j * numThreads;
        if (column >= p.o.shape[2])
          break;
        double expected = total[h] > 0 ? values[h][j] / total[h] : 0;
        double actual =
            loadAs(p.o.dtype, p.o.address(token, first + h, column));
        double error = fabs(actual - expected);
        wrong += !(error <= 8e-4 || error <= 2.01 / 128 * fabs(expected));
        worst = larger(error, worst);
        product += actual * expected;
        squares += actual * actual + expected * expected;
      }
      wrong = sumOfBlock(wrong);
      product = sumOfBlock(product), squares = sumOfBlock(squares);
      for (int step = 16; step > 0; step /= 2)
        worst = larger(worst, __shfl_xor_sync(~0u, worst, step));
      worst = acrossWarps(worst, 0, larger);
      if (threadIdx.x == 0)
        tell(to, first + h, wrong, worst, product, squares,
             p.lse.data && !isLseWithin(first + h, top[h], total[h]));
    }
  }

private:
  __device__ int64_t width() const { return p.query.shape[2]; }
  __device__ double sinkOf(int h) const {
    return p.sinks.data && sequence >= 0 && h < heads
               ? load<float>(p.sinks.address(first + h))
               : -INFINITY;
  }
  /// Not fmax, which would drop a NaN.
  static __device__ double larger(double a, double b) {
    return a <= b ? b : a > b ? a : a + b;
  }

  /// Logits, a key a warp, and the largest that the warp had.
  __device__ void multiplyKeys(const double *query, double *most) {
    for (int h = 0; h < headsEach; ++h)
      most[h] = -INFINITY;
    for (int i = threadIdx.x / 32; i < count; i += numWarps) {
      int position = p.positionOf(sequence, token, i);
      double dot[headsEach] = {};
      if (position >= 0) {
        addProducts(dot, query, p.latent, position);
        if (p.pe.data)
          addProducts(dot, query + p.latent.shape[2], p.pe, position);
      }
      for (int h = 0; h < headsEach; ++h) {
        double logit = position >= 0 ? sumOfWarp(dot[h]) * p.scale : -INFINITY;
        if (threadIdx.x % 32 == 0)
          logits[h * pitch + i] = logit;
        most[h] = fmax(most[h], logit);
      }
    }
  }

  /// A lane's share of the products with a row of the cache. Heads that there
  /// aren't multiply by what is in their place, to no effect.
  __device__ void addProducts(double *dot, const double *query,
                              const View &part, int position) const {
    const char *key = p.rowOf(part, sequence, position);
#pragma unroll 4
    for (int64_t i = threadIdx.x % 32; i < part.shape[2]; i += 32) {
      double element = load<T>(key + i * part.strides[2]);
      for (int h = 0; h < headsEach; ++h)
        dot[h] += query[h * width() + i] * element;
    }
  }

  /// sum exp(logit - top) and the same times the values, in the thread's
  /// columns. What keys weigh one thread finds for all.
  __device__ void addValues() {
    __shared__ double weights[headsEach][numThreads];
    __shared__ const char *rows[numThreads];
    int mine = (static_cast<int>(p.latent.shape[2]) + numThreads - 1 -
                static_cast<int>(threadIdx.x)) /
               numThreads;
    double sum[headsEach] = {};
    for (int begin = 0; begin < count; begin += numThreads) {
      int i = begin + static_cast<int>(threadIdx.x);
      int position = i < count ? p.positionOf(sequence, token, i) : -1;
      bool isSeen = position >= 0;
      rows[threadIdx.x] =
          isSeen ? p.rowOf(p.latent, sequence, position) : nullptr;
      for (int h = 0; h < headsEach; ++h) {
        double weight =
            isSeen && h < heads ? exp(logits[h * pitch + i] - top[h]) : 0;
        weights[h][threadIdx.x] = weight;
        sum[h] += weight;
      }
      __syncthreads();
#pragma unroll 4
      for (int k = 0; k < min(count - begin, numThreads); ++k)
#pragma unroll
        for (int j = 0; j < columnsEach; ++j) {
          if (j >= mine)
            break;
          int64_t column = threadIdx.x + j * numThreads;
          double value = 0;
          if (rows[k])
            value = load<T>(rows[k] + column * p.latent.strides[2]);
          for (int h = 0; h < headsEach; ++h)
            values[h][j] += weights[h][k] * value;
        }
      __syncthreads();
    }
#pragma unroll
    for (int h = 0; h < headsEach; ++h)
      total[h] = sumOfBlock(sum[h]);
  }

  __device__ double sumOfBlock(double value) {
    return acrossWarps(sumOfWarp(value), 0,
                       [](double a, double b) { return a + b; });
  }

  /// `value` of each warp, of all warps.
  template <typename Function>
  __device__ double acrossWarps(double value, double none, Function function) {
    __shared__ double each[numWarps];
    __syncthreads();
    if (threadIdx.x % 32 == 0)
      each[threadIdx.x / 32] = value;
    __syncthreads();
    double result = none;
    for (double other : each)
      result = function(result, other);
    return result;
  }

  __device__ bool isLseWithin(int64_t head, double top, double total) const {
    double actual = load<float>(p.lse.address(token, head));
    double expected = top > -INFINITY ? top + log(total) : -INFINITY;
    double error = fabs(actual - expected);
    return actual == expected || error <= p.lseBound ||
           error <= 8.01 / 65536 * fabs(expected);
  }

  __device__ void tell(AttentionDifference &to, int64_t head, double wrong,
                       double worst, double product, double squares,
                       bool isLseWrong) const {
    atomicAdd(&to.rows, 1ull);
    atomicAdd(&to.wrong, static_cast<unsigned long long>(wrong));
    atomicAdd(&to.wrongLse, isLseWrong ? 1ull : 0ull);
    if (wrong > 0 || isLseWrong)
      atomicMin(&to.firstWrong,
                static_cast<unsigned long long>(token * p.heads() + head));
    // Of errors, which have no sign, the bits are in order, and a NaN's last.
    auto bits = static_cast<unsigned long long>(__double_as_longlong(worst));
    atomicMax(reinterpret_cast<unsigned long long *>(&to.worst), bits);
    atomicAdd(&to.product, product);
    atomicAdd(&to.squares, squares);
  }

  const Operands &p;
  int64_t token, first;
  int heads, sequence, count;
  double *logits;
  int64_t pitch;
  double top[headsEach] = {}, total[headsEach] = {};
  double values[headsEach][columnsEach] = {};
};

/// A block of threads for each `headsEach` heads of a token, from tile `first`
/// on.
template <typename T>
__global__ void __launch_bounds__(numThreads)
    compareTiles(const __grid_constant__ Operands p, int64_t first,
                 double *logits, int64_t mostKeys, AttentionDifference *to) {
  extern __shared__ double query[];
  int64_t tile = first + blockIdx.x, tiles = tilesOf(p.heads());
  Heads<T> heads(p, tile / tiles, tile % tiles * headsEach,
                 logits + blockIdx.x * headsEach * mostKeys, mostKeys);
  heads.compute(query);
  heads.compare(*to);
}

__global__ void startKernel(AttentionDifference *to) {
  *to = AttentionDifference();
}

__global__ void damageKernel(const char *bytes, int count,
                             AttentionDifference *to) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += numThreads)
    if (bytes[i] != static_cast<char>(0xFF))
      atomicAdd(&to->damage, 1ull);
}

} // namespace

std::string AttentionDifference::describe() const {
  return std::to_string(wrong) + " elements and " + std::to_string(wrongLse) +
         " lse wrong in " + std::to_string(rows) + " rows, the first row " +
         std::to_string(static_cast<long long>(firstWrong)) +
         ", the worst by " + std::to_string(worst) + ", cosine distance " +
         std::to_string(cosine() * 1e6) + "e-6";
}

void mla::test::startDifference(AttentionDifference *to, cudaStream_t stream) {
  startKernel<<<1, 1, 0, stream>>>(to);
  requireCuda(cudaGetLastError());
}

void mla::test::countDamage(const char *bytes, int count,
                            AttentionDifference *to, cudaStream_t stream) {
  damageKernel<<<1, numThreads, 0, stream>>>(bytes, count, to);
  requireCuda(cudaGetLastError());
}

void mla::test::compareWithFormula(const mla_absorbed_attention_params &params,
                                   double lseBound, DeviceBuffer &scratch,
                                   AttentionDifference *to,
                                   cudaStream_t stream) {
  Operands p(params, lseBound);
  int64_t tiles = p.query.shape[0] * tilesOf(p.query.shape[1]);
  if (p.latent.shape[2] > columnsEach * numThreads)
    throw std::runtime_error("cache_latent: expected up to 1024 columns, got " +
                             std::to_string(p.latent.shape[2]));
  int64_t mostKeys = params.indices ? p.indices.shape[1]
                                    : p.pageTable.shape[1] * p.latent.shape[1];
  mostKeys = std::max<int64_t>(mostKeys, 1);
  size_t logitBytes = headsEach * mostKeys * sizeof(double); // Of a tile.
  int64_t atOnce =
      std::min(tiles, static_cast<int64_t>((size_t{1} << 28) / logitBytes + 1));
  auto *logits = reinterpret_cast<double *>(scratch.take(atOnce * logitBytes));
  for (int64_t first = 0; first < tiles; first += atOnce)
    withType(p.query.dtype, [&](auto number) {
      compareTiles<decltype(number)>
          <<<static_cast<unsigned>(std::min(atOnce, tiles - first)), numThreads,
             headsEach * p.query.shape[2] * sizeof(double), stream>>>(
              p, first, logits, mostKeys, to);
    });
  requireCuda(cudaGetLastError());
}
