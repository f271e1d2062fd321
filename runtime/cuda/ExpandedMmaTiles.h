//===- ExpandedMmaTiles.h - What a block of expanded attention has --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What a kernel is given, what its block looks for, and how queries, keys and
// values come to shared memory: in rows of 16-byte chunks, of which each group
// of 8 is permuted by the row's number, so that neither copies nor ldmatrix
// meet a bank twice.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_EXPANDEDMMATILES_H
#define MLA_RUNTIME_CUDA_EXPANDEDMMATILES_H

#include "ExpandedKeys.h"
#include "NonFinite.h"
#include "ptx.h"

namespace mla {
namespace cuda {
namespace expanded_mma {

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

__device__ inline bool findTask(const Params &params, Task &task) {
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

} // namespace expanded_mma
} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_EXPANDEDMMATILES_H
