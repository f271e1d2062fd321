//===- ExpandedAttentionMma.cu - Expanded attention on tensor cores -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A block takes 128 tokens of a sequence and one head, and goes over the keys
// that they see, 64 at a time, with the online softmax in registers
// (FlashAttention-2, arXiv:2307.08691). A warp owns whole rows: the logits that
// its products leave in registers are, packed, the weights that the next
// products take. Keys and values have a buffer each; the next keys are fetched
// during the product with the values, and those during the product with the
// keys.
//
// Tiles lie in shared memory as rows of 16-byte chunks, of which each group of
// 8 is permuted by the row's number, so that neither copies nor ldmatrix meet a
// bank twice.
//
//===----------------------------------------------------------------------===//

#include "ExpandedAttentionMma.h"

#include "Convert.h"
#include "ExpandedKeys.h"
#include "NonFinite.h"
#include "ptx.h"

#include <cmath>

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr float negativeInfinity = -INFINITY;
constexpr int tileRows = 128;
constexpr int tileKeys = 64;
/// Heads whose tiles are taken together, so that L2 holds their keys.
constexpr int64_t headGroup = 8;

struct Params {
  Tensor<3> q, kNope, v, o;
  Tensor<2> kPe, lse;
  Tensor<1> sinks;
  ExpandedKeys keys;
  float scale; ///< Of the logits, in base 2.
  int64_t tiles;
  bool storesVectors; ///< Of 4 elements, to o.
  FaultRecord *fault;
};

/// A block's tile, in shared memory: registers are scarce.
struct Task {
  RowTile rows;
  KeyRange keys;
  int64_t head;
  /// Row i sees the keys below base + slope * i, cut to [0, count].
  int base, slope, count;

  __device__ int bound(int row) const {
    return min(max(base + slope * row, 0), count);
  }
  __device__ int numRows() const {
    return static_cast<int>(rows.rowEnd - rows.rowBegin);
  }
};

/// A kernel's sizes: what rows of queries and keys, and of values, are padded
/// to, and how the tile's rows are dealt to warps, 16 * RowBlocks to each.
template <typename T, int KeyWidth, int ValueWidth, int RowBlocks>
struct Kernel {
  static constexpr int warpRows = 16 * RowBlocks;
  static constexpr int threads = tileRows / warpRows * 32;
  static constexpr int blocksPerSM = RowBlocks == 2 ? 2 : 1;
  /// Floats of a row of o on its way out; banks differ from row to row.
  static constexpr int outStride = ValueWidth + 8;

  struct Tiles {
    T query[tileRows * KeyWidth];
    T keys[tileKeys * KeyWidth];
    T values[tileKeys * ValueWidth];
  };
  struct Shared {
    union {
      Tiles tiles;
      float out[tileRows * outStride];
    };
    NonFinite<ValueWidth> nonFinite;
    Task task;
  };
};

/// 16 bytes of each row of a tile. Null data: zeros.
struct Chunk {
  const char *data;
  int stride;
};

/// Starts to copy `NumRows` rows, those from `count` on as zeros. chunkAt(i)
/// gives the chunk `i` of the rows.
template <typename K, int Width, int NumRows, typename ChunkAt>
__device__ void copyRows(const void *to, int count, const void *anywhere,
                         ChunkAt chunkAt) {
  constexpr int step = K::threads / 8;
  int column = threadIdx.x % 8, row = threadIdx.x / 8;
  uint32_t place =
      sharedAddress(to) + row * Width * 2 + (column ^ row % 8) * 16;
#pragma unroll
  for (int j = 0; j < Width / 64; ++j) {
    Chunk chunk = chunkAt(column + 8 * j);
#pragma unroll
    for (int i = 0; i < NumRows / step; ++i) {
      int from = row + i * step;
      bool valid = chunk.data && from < count;
      copyAsync(place + i * step * Width * 2 + j * 128,
                valid ? chunk.data + static_cast<int64_t>(from) * chunk.stride
                      : anywhere,
                valid);
    }
  }
}

__device__ bool findTask(const Params &params, Task &task) {
  int64_t heads = params.q.shape[1], perGroup = params.tiles * headGroup;
  int64_t firstHead = blockIdx.x / perGroup * headGroup;
  int64_t group = min(headGroup, heads - firstHead);
  int64_t place = blockIdx.x % perGroup;
  task.head = firstHead + place % group;
  // A causal sequence's last tokens see the most: they go first.
  int64_t number = params.tiles - 1 - place / group;
  TileShape shape{1, tileRows};
  if (!findTile(params.keys.tokens, shape, number, task.rows))
    return false;
  if (!task.rows.isPadding)
    task.keys = params.keys.keysOf(task.rows.sequence);
  task.slope = params.keys.causal;
  task.count = static_cast<int>(task.keys.count);
  int64_t base = task.keys.count;
  if (task.slope)
    base = min(base, task.keys.length - task.keys.position -
                         (task.rows.tokensEnd - 1 - task.rows.rowBegin));
  task.base = static_cast<int>(max(base, int64_t{-tileRows}));
  return true;
}

template <typename K, typename T, int KeyWidth, int ValueWidth>
__device__ void copyQuery(const Params &params, const Task &task,
                          typename K::Tiles &tiles) {
  const char *data = params.q.at(task.rows.rowBegin, task.head);
  int stride = static_cast<int>(params.q.strides[0]);
  int chunks = static_cast<int>(params.q.shape[2] / 8);
  copyRows<K, KeyWidth, tileRows>(
      tiles.query, task.numRows(), data, [&](int i) {
        return Chunk{i < chunks ? data + i * 16 : nullptr, stride};
      });
}

template <typename K, typename T, int KeyWidth, int ValueWidth>
__device__ void copyKeys(const Params &params, const Task &task, int first,
                         int end, typename K::Tiles &tiles) {
  const char *nope = params.kNope.at(task.keys.row + first, task.head);
  const char *pe = params.kPe.at(task.keys.row + first);
  int nopeStride = static_cast<int>(params.kNope.strides[0]);
  int peStride = static_cast<int>(params.kPe.strides[0]);
  int nopeChunks = static_cast<int>(params.kNope.shape[2] / 8);
  int chunks = static_cast<int>(params.q.shape[2] / 8);
  copyRows<K, KeyWidth, tileKeys>(
      tiles.keys, end - first, params.q.data, [&](int i) {
        if (i < nopeChunks)
          return Chunk{nope + i * 16, nopeStride};
        return Chunk{i < chunks ? pe + (i - nopeChunks) * 16 : nullptr,
                     peStride};
      });
}

template <typename K, typename T, int KeyWidth, int ValueWidth>
__device__ void copyValues(const Params &params, const Task &task, int first,
                           int end, typename K::Tiles &tiles) {
  const char *data = params.v.at(task.keys.row + first, task.head);
  int stride = static_cast<int>(params.v.strides[0]);
  int chunks = static_cast<int>(params.v.shape[2] / 8);
  copyRows<K, ValueWidth, tileKeys>(
      tiles.values, end - first, params.q.data, [&](int i) {
        return Chunk{i < chunks ? data + i * 16 : nullptr, stride};
      });
}

/// Takes from the values in shared memory what isn't finite.
template <typename K, typename T, int ValueWidth>
__device__ void replaceNonFinite(int first, typename K::Shared &shared) {
  constexpr int rowChunks = ValueWidth / 8;
  for (int i = threadIdx.x; i < tileKeys * rowChunks; i += K::threads) {
    int row = i / rowChunks, chunk = i % rowChunks;
    T *values = shared.tiles.values + row * ValueWidth + (chunk ^ row % 8) * 8;
    shared.nonFinite.template replace<T>(values, first + row, chunk * 8);
  }
}

/// The state of a warp's rows: of each row block, rows lane / 4 and + 8.
template <int RowBlocks, int ValueWidth> struct RowStates {
  float sums[RowBlocks][ValueWidth / 8][4];
  float top[RowBlocks][2];   ///< Largest logit, in base 2.
  float total[RowBlocks][2]; ///< This lane's part.
};

/// Logits of a warp's rows with the keys of the tile.
template <typename T, int KeyWidth, int RowBlocks>
__device__ void multiplyKeys(const T *query, const T *keys, int firstRow,
                             float (&logits)[RowBlocks][tileKeys / 8][4]) {
  int lane = threadIdx.x % 32;
  uint32_t queryAt = sharedAddress(query) +
                     (firstRow + lane % 16) * KeyWidth * 2 +
                     (lane / 16 ^ lane % 8) * 16;
  uint32_t keyAt = sharedAddress(keys) +
                   (lane / 16 * 8 + lane % 8) * KeyWidth * 2 +
                   (lane / 8 % 2 ^ lane % 8) * 16;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        logits[i][n][e] = 0;
#pragma unroll
  for (int k = 0; k < KeyWidth / 16; ++k) {
    const uint32_t flip = 2 * k % 8 * 16, offset = 2 * k / 8 * 128;
    uint32_t a[RowBlocks][4];
#pragma unroll
    for (int i = 0; i < RowBlocks; ++i)
      loadMatrices(a[i], (queryAt ^ flip) + offset + i * 16 * KeyWidth * 2);
#pragma unroll
    for (int n = 0; n < tileKeys / 16; ++n) {
      uint32_t b[4];
      loadMatrices(b, (keyAt ^ flip) + offset + n * 16 * KeyWidth * 2);
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i) {
        multiplyAdd<T>(logits[i][2 * n], a[i], b[0], b[1]);
        multiplyAdd<T>(logits[i][2 * n + 1], a[i], b[2], b[3]);
      }
    }
  }
}

/// Turns logits into weights, and brings the state to the new largest logits.
template <int RowBlocks, int ValueWidth>
__device__ void softmax(float scale,
                        float (&logits)[RowBlocks][tileKeys / 8][4],
                        RowStates<RowBlocks, ValueWidth> &state) {
  float factors[RowBlocks][2];
  bool changed = false;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = negativeInfinity;
#pragma unroll
      for (int n = 0; n < tileKeys / 8; ++n)
        top = fmaxf(top,
                    fmaxf(logits[i][n][2 * half], logits[i][n][2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
      float old = state.top[i][half];
      top = fmaxf(old, top * scale);
      // Nothing seen yet: -infinity less itself would be a NaN.
      float base = top == negativeInfinity ? 0.0f : top;
      float factor = exp2Approximate(old - base), sum = 0;
#pragma unroll
      for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          logits[i][n][e] =
              exp2Approximate(fmaf(logits[i][n][e], scale, -base));
          sum += logits[i][n][e];
        }
      changed |= top != old;
      state.top[i][half] = top;
      state.total[i][half] = state.total[i][half] * factor + sum;
      factors[i][half] = factor;
    }
  if (!__any_sync(0xffffffffu, changed))
    return;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int n = 0; n < ValueWidth / 8; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        state.sums[i][n][e] *= factors[i][e / 2];
}

/// Adds the values, by their weights.
template <typename T, int RowBlocks, int ValueWidth>
__device__ void
multiplyValues(const T *values,
               const float (&weights)[RowBlocks][tileKeys / 8][4],
               RowStates<RowBlocks, ValueWidth> &state) {
  int lane = threadIdx.x % 32;
  uint32_t valueAt = sharedAddress(values) + lane % 16 * ValueWidth * 2 +
                     (lane / 16 ^ lane % 8) * 16;
#pragma unroll
  for (int k = 0; k < tileKeys / 16; ++k) {
    uint32_t a[RowBlocks][4];
#pragma unroll
    for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float *pair = weights[i][2 * k + j / 2] + j % 2 * 2;
        a[i][j] = packPair<T>(pair[0], pair[1]);
      }
#pragma unroll
    for (int n = 0; n < ValueWidth / 16; ++n) {
      uint32_t b[4];
      loadMatricesTransposed(b, (valueAt ^ 2 * n % 8 * 16) + 2 * n / 8 * 128 +
                                    k * 16 * ValueWidth * 2);
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i) {
        multiplyAdd<T>(state.sums[i][2 * n], a[i], b[0], b[1]);
        multiplyAdd<T>(state.sums[i][2 * n + 1], a[i], b[2], b[3]);
      }
    }
  }
}

/// Divides the sums, and leaves them in shared memory and the lse in its
/// tensor.
template <typename K, int RowBlocks, int ValueWidth>
__device__ void finish(const Params &params, const Task &task, int firstRow,
                       RowStates<RowBlocks, ValueWidth> &state,
                       typename K::Shared &shared) {
  int lane = threadIdx.x % 32;
  bool anyNonFinite = shared.nonFinite.any;
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      int row = firstRow + 16 * i + 8 * half + lane / 4;
      float total = state.total[i][half];
      total += __shfl_xor_sync(0xffffffffu, total, 1);
      total += __shfl_xor_sync(0xffffffffu, total, 2);
      float inverse = total == 0 ? 0.0f : 1.0f / total;
      if (params.lse && lane % 4 == 0 && row < task.numRows())
        *reinterpret_cast<float *>(
            params.lse.at(task.rows.rowBegin + row, task.head)) =
            total == 0 ? negativeInfinity
                       : state.top[i][half] * 0.693147181f + logf(total);
      float *out = shared.out + row * K::outStride + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < ValueWidth / 8; ++n) {
        float2 pair = {state.sums[i][n][2 * half] * inverse,
                       state.sums[i][n][2 * half + 1] * inverse};
        if (anyNonFinite) {
          int column = 8 * n + lane % 4 * 2;
          pair.x += shared.nonFinite.seen(column, task.bound(row));
          pair.y += shared.nonFinite.seen(column + 1, task.bound(row));
        }
        *reinterpret_cast<float2 *>(out + 8 * n) = pair;
      }
    }
}

/// Four elements to o, at `address`.
__device__ void storeQuad(const Params &params, char *address, float4 values) {
  if (!params.storesVectors) {
    const float *value = &values.x;
    for (int i = 0; i < 4; ++i)
      storeElement(address + i * params.o.strides[2], params.o.dtype, value[i]);
  } else if (params.o.dtype == MLA_DTYPE_F32) {
    *reinterpret_cast<float4 *>(address) = values;
  } else if (params.o.dtype == MLA_DTYPE_F16) {
    *reinterpret_cast<uint2 *>(address) = {
        packPair<__half>(values.x, values.y),
        packPair<__half>(values.z, values.w)};
  } else {
    *reinterpret_cast<uint2 *>(address) = {
        packPair<__nv_bfloat16>(values.x, values.y),
        packPair<__nv_bfloat16>(values.z, values.w)};
  }
}

/// Writes the rows of o that the warp has left in shared memory.
template <typename K>
__device__ void storeRows(const Params &params, const Task &task, int firstRow,
                          const float *out) {
  int end = min(firstRow + K::warpRows, task.numRows());
  int width = static_cast<int>(params.o.shape[2]);
  for (int row = firstRow; row < end; ++row) {
    char *to = params.o.at(task.rows.rowBegin + row, task.head);
    for (int i = threadIdx.x % 32 * 4; i < width; i += 128)
      storeQuad(
          params, to + i * params.o.strides[2],
          *reinterpret_cast<const float4 *>(out + row * K::outStride + i));
  }
}

template <typename T, int KeyWidth, int ValueWidth, int RowBlocks>
__global__ void
__launch_bounds__(Kernel<T, KeyWidth, ValueWidth, RowBlocks>::threads,
                  Kernel<T, KeyWidth, ValueWidth, RowBlocks>::blocksPerSM)
    attend(const __grid_constant__ Params params) {
  using K = Kernel<T, KeyWidth, ValueWidth, RowBlocks>;
  extern __shared__ __align__(128) char block[];
  auto &shared = *reinterpret_cast<typename K::Shared *>(block);
  auto &tiles = shared.tiles;
  if (blockIdx.x == 0)
    params.keys.check(params.fault);
  Task &task = shared.task;
  {
    Task found;
    if (!findTask(params, found))
      return;
    if (threadIdx.x == 0)
      task = found;
    __syncthreads();
  }
  int numKeys = task.bound(task.numRows() - 1);
  if (numKeys > 0) {
    copyQuery<K, T, KeyWidth, ValueWidth>(params, task, tiles);
    copyKeys<K, T, KeyWidth, ValueWidth>(params, task, 0, numKeys, tiles);
    commitCopies();
  }
  shared.nonFinite.clear();

  int lane = threadIdx.x % 32, firstRow = threadIdx.x / 32 * K::warpRows;
  RowStates<RowBlocks, ValueWidth> state = {};
  float sink = negativeInfinity;
  if (params.sinks && !task.rows.isPadding)
    sink = *reinterpret_cast<const float *>(params.sinks.at(task.head));
#pragma unroll
  for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      state.top[i][half] = sink * 1.44269504f;
      state.total[i][half] = lane % 4 == 0 && sink != negativeInfinity;
    }

  // The first row sees the least, and a warp's last row the most of its rows.
  int seenByAll = task.bound(0);
  int seenByWarp = task.bound(firstRow + K::warpRows - 1);
  for (int first = 0; first < numKeys; first += tileKeys) {
    bool hides = first + tileKeys > seenByAll, sees = first < seenByWarp;
    waitForCopies<0>();
    __syncthreads();
    copyValues<K, T, KeyWidth, ValueWidth>(params, task, first, numKeys, tiles);
    commitCopies();
    float logits[RowBlocks][tileKeys / 8][4];
    if (sees)
      multiplyKeys<T, KeyWidth>(tiles.query, tiles.keys, firstRow, logits);
    waitForCopies<0>();
    __syncthreads();
    if (first + tileKeys < numKeys) {
      copyKeys<K, T, KeyWidth, ValueWidth>(params, task, first + tileKeys,
                                           numKeys, tiles);
      commitCopies();
    }
    if (hides) {
      replaceNonFinite<K, T, ValueWidth>(first, shared);
      __syncthreads();
    }
    if (!sees)
      continue;
    if (hides) {
#pragma unroll
      for (int i = 0; i < RowBlocks; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          int row = firstRow + 16 * i + 8 * half + lane / 4;
          int bound = task.bound(row) - first - lane % 4 * 2;
#pragma unroll
          for (int n = 0; n < tileKeys / 8; ++n)
#pragma unroll
            for (int e = 0; e < 2; ++e)
              if (8 * n + e >= bound)
                logits[i][n][2 * half + e] = negativeInfinity;
        }
    }
    softmax(params.scale, logits, state);
    multiplyValues<T>(tiles.values, logits, state);
  }
  // The tiles make room for the output.
  __syncthreads();
  finish<K>(params, task, firstRow, state, shared);
  __syncwarp();
  storeRows<K>(params, task, firstRow, shared.out);
}

/// Calls `visit` with the kernel for the widths and its shared memory.
template <typename T, typename Visitor>
auto visitKernel(int64_t keyWidth, int64_t valueWidth, Visitor visit) {
  if (keyWidth <= 128 && valueWidth <= 128)
    return visit(
        attend<T, 128, 128, 2>,
        static_cast<int>(sizeof(typename Kernel<T, 128, 128, 2>::Shared)),
        Kernel<T, 128, 128, 2>::threads);
  if (keyWidth <= 192 && valueWidth <= 128)
    return visit(
        attend<T, 192, 128, 2>,
        static_cast<int>(sizeof(typename Kernel<T, 192, 128, 2>::Shared)),
        Kernel<T, 192, 128, 2>::threads);
  return visit(
      attend<T, 256, 256, 1>,
      static_cast<int>(sizeof(typename Kernel<T, 256, 256, 1>::Shared)),
      Kernel<T, 256, 256, 1>::threads);
}

template <typename Visitor>
auto visitKernel(const mla_expanded_attention_params &params, Visitor visit) {
  int64_t keyWidth = params.q->shape[2], valueWidth = params.v->shape[2];
  return params.q->dtype == MLA_DTYPE_F16
             ? visitKernel<__half>(keyWidth, valueWidth, visit)
             : visitKernel<__nv_bfloat16>(keyWidth, valueWidth, visit);
}

template <int Rank> bool suits(const Tensor<Rank> &tensor, uint32_t dtype) {
  return !tensor || (tensor.dtype == dtype && tensor.hasVectors(16) &&
                     tensor.strides[0] == static_cast<int>(tensor.strides[0]));
}

} // namespace

bool mla::cuda::suitsExpandedAttentionMma(
    mla_context &ctx, const mla_expanded_attention_params &params) {
  uint32_t dtype = params.q->dtype;
  int64_t keyWidth = params.q->shape[2], valueWidth = params.v->shape[2];
  if ((dtype != MLA_DTYPE_F16 && dtype != MLA_DTYPE_BF16) || params.indices ||
      keyWidth > 256 || valueWidth > 256 || keyWidth % 8 != 0 ||
      valueWidth % 8 != 0 || params.k_nope->shape[2] % 8 != 0 ||
      valueWidth == 0)
    return false;
  // The largest logit is that of the largest product.
  auto scale = static_cast<float>(params.softmax_scale);
  return scale > 0 && std::isnormal(scale) &&
         suits(Tensor<3>(params.q), dtype) &&
         suits(Tensor<3>(params.k_nope), dtype) &&
         suits(Tensor<2>(params.k_pe), dtype) &&
         suits(Tensor<3>(params.v), dtype) &&
         visitKernel(params, [&](auto, int sharedBytes, int) {
           return sharedBytes <= stateOf(ctx).maxSharedBytes;
         });
}

mla_status
mla::cuda::expandedAttentionMma(mla_context &ctx,
                                const mla_expanded_attention_params &call) {
  Params params = {};
  params.q = Tensor<3>(call.q);
  params.kNope = Tensor<3>(call.k_nope);
  params.kPe = Tensor<2>(call.k_pe);
  params.v = Tensor<3>(call.v);
  params.o = Tensor<3>(call.o);
  params.lse = Tensor<2>(call.lse);
  params.sinks = Tensor<1>(call.sinks);
  params.keys = ExpandedKeys(call);
  params.scale = static_cast<float>(call.softmax_scale * 1.4426950408889634);
  params.storesVectors = params.o.hasVectors(4 * elementSize(params.o.dtype));
  params.fault = stateOf(ctx).fault;
  int64_t tokens = params.q.shape[0], heads = params.q.shape[1];
  params.tiles = TileShape{1, tileRows}.maxTiles(
      tokens, params.keys.tokens.numSequences());
  return visitKernel(call, [&](auto kernel, int sharedBytes, int threads) {
    return launch(ctx, "expanded_attention", kernel,
                  dim3(static_cast<unsigned>(params.tiles * heads)),
                  dim3(threads), sharedBytes, params);
  });
}

cudaError_t mla::cuda::loadExpandedAttentionMma(const State &state) {
  auto allow = [&](auto kernel, int sharedBytes, int) {
    cudaFuncAttributes attributes;
    if (cudaError_t error = cudaFuncGetAttributes(&attributes, kernel))
      return error;
    return sharedBytes <= state.maxSharedBytes
               ? allowShared(kernel, sharedBytes)
               : cudaSuccess;
  };
  for (int width : {128, 192, 256}) {
    int valueWidth = width == 256 ? 256 : 128;
    if (cudaError_t error = visitKernel<__half>(width, valueWidth, allow))
      return error;
    if (cudaError_t error =
            visitKernel<__nv_bfloat16>(width, valueWidth, allow))
      return error;
  }
  return cudaSuccess;
}
