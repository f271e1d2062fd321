//===- AttentionFfmaTile.h - Attention of 16 rows in f32, by a block ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The online softmax over blocks of 32 keys, whose columns pass through shared
// memory in chunks, as f32. For the logits each warp takes some columns of all
// rows and keys, a lane 4 x 4 of these; the warps' parts are added in their
// order. For the sums a thread has 4 rows x 4 columns of each chunk of values.
//
// A Source says what is computed:
//
//   Task: one tile. It has rowBegin and rowEnd, and the candidates for keys
//     [begin, end).
//   const char *query(task, row), int bound(task, row), float sink(task, row):
//     of a row, counted from rowBegin, which sees candidates below its bound.
//   KeyAddress key(task, candidate): where it is.
//   int keyWidth(), int valueWidth(), float scale(): columns; of the logits.
//   float4 loadQuery(address, column), loadKey(key, column), loadValue(...):
//     4 columns, those beyond the width 0.
//   void store(task, row, column, value), storeLse(task, row, lse): the result.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ATTENTIONFFMATILE_H
#define MLA_RUNTIME_CUDA_ATTENTIONFFMATILE_H

#include "Convert.h"
#include "Launch.h"

#include <climits>
#include <cmath>

namespace mla {
namespace cuda {

struct AttentionFfmaTile {
  static constexpr int rows = 16;
  static constexpr int keys = 32;
  static constexpr int threads = 256;
  static constexpr int warps = threads / 32;
  static constexpr int keyColumns = 128;   ///< Of a chunk.
  static constexpr int valueColumns = 256; ///< Of a chunk.
  static constexpr int valueChunks = 4;    ///< That a block has sums of.
  /// Rows start at different banks.
  static constexpr int keyStride = keyColumns + 4;
  static constexpr int weightStride = keys + 4;
  static constexpr int stageFloats = keys * valueColumns;

  static constexpr int queryStride(int keyWidth) {
    return (keyWidth + keyColumns - 1) / keyColumns * keyColumns + 4;
  }
  /// Dynamic shared memory.
  static constexpr int64_t sharedBytes(int64_t keyWidth) {
    return (int64_t{rows} * (keyWidth + keyColumns + 4) + stageFloats) * 4;
  }
};

/// Where the parts of a key, and its value, begin.
struct KeyAddress {
  bool exists; ///< Else no row sees it.
  const char *nope, *pe, *value;
  const char *scales; ///< Of blocks of the nope part, or null.
};

/// How the elements of a tensor's rows are read.
struct Columns {
  uint32_t dtype = MLA_DTYPE_NONE;
  int64_t stride = 0;
  int width = 0;
  bool quads = false; ///< Whole and aligned units of 4.

  Columns() = default;
  template <int Rank>
  explicit Columns(const Tensor<Rank> &tensor)
      : dtype(tensor.dtype), stride(tensor.strides[Rank - 1]),
        width(static_cast<int>(tensor.width())),
        quads(tensor.hasVectors(4 * elementSize(tensor.dtype))) {}

  __device__ float at(const char *row, int column) const {
    return loadElement(row + column * stride, dtype);
  }

  /// The columns [column, column + 4), 0 beyond the width. `column` is a
  /// multiple of 4.
  __device__ float4 load(const char *row, int column) const {
    float4 result = {0, 0, 0, 0};
    if (quads) {
      if (column < width)
        visitType(dtype, [&](auto *type) {
          using T = std::remove_pointer_t<decltype(type)>;
          struct alignas(4 * sizeof(T)) Quad {
            T element[4];
          };
          Quad quad = *reinterpret_cast<const Quad *>(
              row + column * static_cast<int>(sizeof(T)));
          result = {widen(quad.element[0]), widen(quad.element[1]),
                    widen(quad.element[2]), widen(quad.element[3])};
        });
      return result;
    }
    float *elements = &result.x;
    for (int i = 0; i < 4 && column + i < width; ++i)
      elements[i] = at(row, column + i);
    return result;
  }
};

/// The same of rows in two parts, one behind the other.
__device__ inline float4 loadParts(const Columns &first, const char *firstRow,
                                   const Columns &second, const char *secondRow,
                                   int column) {
  int split = first.width;
  if (column + 4 <= split || second.width == 0)
    return first.load(firstRow, column);
  if (column >= split && split % 4 == 0)
    return second.load(secondRow, column - split);
  float4 result = {0, 0, 0, 0};
  float *elements = &result.x;
  for (int i = 0; i < 4; ++i)
    if (column + i < split)
      elements[i] = first.at(firstRow, column + i);
    else if (column + i < split + second.width)
      elements[i] = second.at(secondRow, column + i - split);
  return result;
}

__device__ inline float dot(float4 a, float4 b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

/// Logits of the block's rows with `keys`: this warp's part of the columns, of
/// rows lane / 8 + 4 * i and keys lane % 8 + 8 * j. `stage` is left in use.
template <typename Source>
__device__ void multiplyKeys(const Source &source, const KeyAddress *keys,
                             int width, const float *query, float *stage,
                             float (&logits)[4][4]) {
  using Tile = AttentionFfmaTile;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int queryStride = Tile::queryStride(width);
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      logits[i][j] = 0;
  for (int begin = 0; begin < width; begin += Tile::keyColumns) {
#pragma unroll
    for (int k = warp; k < Tile::keys; k += Tile::warps) {
      float4 quad = {0, 0, 0, 0};
      if (keys[k].exists)
        quad = source.loadKey(keys[k], begin + lane * 4);
      *reinterpret_cast<float4 *>(stage + k * Tile::keyStride + lane * 4) =
          quad;
    }
    __syncthreads();
    const int share = Tile::keyColumns / Tile::warps;
#pragma unroll
    for (int c = 0; c < share; c += 4) {
      int column = warp * share + c;
      float4 a[4], b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        a[i] = *reinterpret_cast<const float4 *>(
            query + (lane / 8 + 4 * i) * queryStride + begin + column);
        b[i] = *reinterpret_cast<const float4 *>(
            stage + (lane % 8 + 8 * i) * Tile::keyStride + column);
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j)
          logits[i][j] = dot(a[i], b[j], logits[i][j]);
    }
    __syncthreads();
  }
}

/// Adds the values of a chunk, in shared memory, to a thread's 4 rows. A weight
/// below 0 belongs to a key that its row doesn't see, and a value that isn't
/// finite isn't to reach that row.
__device__ inline void multiplyValues(const float *weights, const float *values,
                                      float (&sums)[4][4]) {
  using Tile = AttentionFfmaTile;
  // More would take registers that the sums need.
#pragma unroll 1
  for (int k = 0; k < Tile::keys; k += 4) {
    float4 value[4];
#pragma unroll
    for (int j = 0; j < 4; ++j)
      value[j] = *reinterpret_cast<const float4 *>(
          values + (k + j) * Tile::valueColumns);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float4 four = *reinterpret_cast<const float4 *>(
          weights + i * Tile::weightStride + k);
      const float weight[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int j = 0; j < 4; ++j)
        if (!(weight[j] < 0)) {
          sums[i][0] = fmaf(weight[j], value[j].x, sums[i][0]);
          sums[i][1] = fmaf(weight[j], value[j].y, sums[i][1]);
          sums[i][2] = fmaf(weight[j], value[j].z, sums[i][2]);
          sums[i][3] = fmaf(weight[j], value[j].w, sums[i][3]);
        }
    }
  }
}

/// The softmax's state of row threadIdx.x / 16, the same in 16 threads.
struct FfmaRowState {
  float top = -INFINITY, total = 0;

  __device__ void setSink(float sink) {
    top = sink;
    total = sink == -INFINITY ? 0.0f : 1.0f;
  }

  /// Turns the thread's two logits into weights. Returns what the sums so far
  /// are multiplied by.
  __device__ float add(float (&logits)[2], const bool (&visible)[2]) {
    float largest = top;
    for (int i = 0; i < 2; ++i)
      if (visible[i])
        largest = fmaxf(largest, logits[i]);
    for (int step = 8; step > 0; step /= 2)
      largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
    // Nothing seen yet: -infinity less itself would be a NaN.
    float base = largest == -INFINITY ? 0.0f : largest, sum = 0;
    for (int i = 0; i < 2; ++i) {
      logits[i] = visible[i] ? expf(logits[i] - base) : -1.0f;
      sum += visible[i] ? logits[i] : 0.0f;
    }
    for (int step = 8; step > 0; step /= 2)
      sum += __shfl_xor_sync(0xffffffffu, sum, step);
    float factor = expf(top - base);
    total = total * factor + sum;
    top = largest;
    return factor;
  }
};

/// What passes between the threads, besides the dynamic shared memory.
struct FfmaShared {
  float weights[AttentionFfmaTile::rows * AttentionFfmaTile::weightStride];
  float factors[AttentionFfmaTile::rows];
  int bounds[AttentionFfmaTile::rows];
  KeyAddress keys[AttentionFfmaTile::keys];
};

/// Adds up the warps' parts of the logits, which `stage` gets, and leaves
/// weights and factors in shared memory.
__device__ inline void weigh(const float (&logits)[4][4], int candidate,
                             float scale, float *stage, FfmaShared &shared,
                             FfmaRowState &state) {
  using Tile = AttentionFfmaTile;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int part = Tile::rows * Tile::keys;
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      stage[warp * part + (lane / 8 + 4 * i) * Tile::keys + lane % 8 + 8 * j] =
          logits[i][j];
  __syncthreads();
  int row = threadIdx.x / 16;
  float pair[2];
  bool visible[2];
  for (int i = 0; i < 2; ++i) {
    int k = threadIdx.x % 16 + 16 * i;
    float sum = 0;
    for (int w = 0; w < Tile::warps; ++w)
      sum += stage[w * part + row * Tile::keys + k];
    pair[i] = sum * scale;
    visible[i] = shared.keys[k].exists && candidate + k < shared.bounds[row];
  }
  float factor = state.add(pair, visible);
  for (int i = 0; i < 2; ++i)
    shared.weights[row * Tile::weightStride + threadIdx.x % 16 + 16 * i] =
        pair[i];
  if (threadIdx.x % 16 == 0)
    shared.factors[row] = factor;
  __syncthreads();
}

/// Adds the weighed values from `column` on.
template <typename Source>
__device__ void addValues(const Source &source, int column, int width,
                          float *stage, const FfmaShared &shared,
                          float (&sums)[AttentionFfmaTile::valueChunks][4][4]) {
  using Tile = AttentionFfmaTile;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int quad = threadIdx.x % 64 * 4, firstRow = threadIdx.x / 64 * 4;
#pragma unroll
  for (int c = 0; c < Tile::valueChunks; ++c) {
    int begin = column + c * Tile::valueColumns;
    if (begin >= width)
      break;
    for (int k = warp; k < Tile::keys; k += Tile::warps)
#pragma unroll
      for (int i = lane * 4; i < Tile::valueColumns; i += 128) {
        float4 value = {0, 0, 0, 0};
        if (shared.keys[k].exists)
          value = source.loadValue(shared.keys[k], begin + i);
        *reinterpret_cast<float4 *>(stage + k * Tile::valueColumns + i) = value;
      }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j)
        sums[c][i][j] *= shared.factors[firstRow + i];
    multiplyValues(shared.weights + firstRow * Tile::weightStride, stage + quad,
                   sums[c]);
    __syncthreads();
  }
}

/// Does a block's `task`, which is in shared memory, with `block`,
/// sharedBytes() of it.
template <typename Source>
__device__ void attendFfma(const Source &source,
                           const typename Source::Task &task, float *block,
                           FfmaShared &shared) {
  using Tile = AttentionFfmaTile;
  float *stage = block, *query = block + Tile::stageFloats;
  int width = source.keyWidth(), valueWidth = source.valueWidth();
  int numRows = static_cast<int>(task.rowEnd - task.rowBegin);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int queryStride = Tile::queryStride(width);
  for (int row = warp; row < Tile::rows; row += Tile::warps)
    for (int i = lane * 4; i < queryStride - 4; i += 128) {
      float4 quad = {0, 0, 0, 0};
      if (row < numRows)
        quad = source.loadQuery(source.query(task, row), i);
      *reinterpret_cast<float4 *>(query + row * queryStride + i) = quad;
    }
  int myRow = threadIdx.x / 16;
  FfmaRowState state;
  if (myRow < numRows)
    state.setSink(source.sink(task, myRow));
  if (threadIdx.x % 16 == 0)
    shared.bounds[myRow] = myRow < numRows ? source.bound(task, myRow) : 0;
  int column = blockIdx.y * Tile::valueChunks * Tile::valueColumns;
  float sums[Tile::valueChunks][4][4] = {};
  for (int64_t k = task.begin; k < task.end; k += Tile::keys) {
    if (threadIdx.x < Tile::keys)
      shared.keys[threadIdx.x] = k + threadIdx.x < task.end
                                     ? source.key(task, k + threadIdx.x)
                                     : KeyAddress{};
    __syncthreads();
    float logits[4][4];
    multiplyKeys(source, shared.keys, width, query, stage, logits);
    weigh(logits, static_cast<int>(k), source.scale(), stage, shared, state);
    addValues(source, column, valueWidth, stage, shared, sums);
    __syncthreads();
  }
  // Threads of a row may divide: the factors become the reciprocals.
  if (threadIdx.x % 16 == 0) {
    shared.factors[myRow] = state.total == 0 ? 0.0f : 1.0f / state.total;
    if (blockIdx.y == 0 && myRow < numRows)
      source.storeLse(task, myRow,
                      state.total == 0 ? -INFINITY
                                       : state.top + logf(state.total));
  }
  __syncthreads();
  int quad = threadIdx.x % 64 * 4, firstRow = threadIdx.x / 64 * 4;
#pragma unroll
  for (int c = 0; c < Tile::valueChunks; ++c) {
    int begin = column + c * Tile::valueColumns;
    if (begin >= valueWidth)
      break;
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j)
        stage[(firstRow + i) * Tile::valueColumns + quad + j] =
            sums[c][i][j] * shared.factors[firstRow + i];
    __syncthreads();
    int end = min(Tile::valueColumns, valueWidth - begin);
    for (int row = warp; row < numRows; row += Tile::warps)
      for (int i = lane; i < end; i += 32)
        source.store(task, row, begin + i, stage[row * Tile::valueColumns + i]);
    __syncthreads();
  }
}

/// Blocks for `tiles` tiles, each with `others` heads or groups of them.
inline dim3 ffmaGrid(int64_t tiles, int64_t valueWidth, int64_t others) {
  const int64_t columns =
      AttentionFfmaTile::valueChunks * AttentionFfmaTile::valueColumns;
  // The lse is wanted even where o has no columns.
  int64_t passes = std::max<int64_t>(ceilDiv(valueWidth, columns), 1);
  return dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(passes),
              static_cast<unsigned>(others));
}

/// Shared memory that attendFfma() has beside the dynamic one, at most.
constexpr int ffmaStaticBytes = 6144;

/// Lets `kernel`, which calls attendFfma(), have all shared memory.
template <typename... Params>
cudaError_t allowFfma(const State &state, void (*kernel)(Params...)) {
  cudaFuncAttributes attributes;
  if (cudaError_t error = cudaFuncGetAttributes(&attributes, kernel))
    return error;
  static_assert(sizeof(FfmaShared) + 1024 <= ffmaStaticBytes, "");
  return allowShared(kernel, state.maxSharedBytes - ffmaStaticBytes);
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ATTENTIONFFMATILE_H
