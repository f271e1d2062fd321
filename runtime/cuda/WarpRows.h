//===- WarpRows.h - Warps that move the rows of tokens --------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A token's rows (one a head, say) are split into tasks, of a warp each. A warp
// goes over its rows in packets, and reads a few before it writes the first.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_WARPROWS_H
#define MLA_RUNTIME_CUDA_WARPROWS_H

#include "Launch.h"
#include "Rotation.h"

namespace mla {
namespace cuda {

constexpr int warpLanes = 32;
/// Warps of a block, at most.
constexpr int maxWarps = 8;

/// How tokens and their tasks are laid out over blocks (lane, task, token).
struct TaskGrid {
  int64_t tokens;
  int64_t rows;        ///< Of a token, those that are split into tasks.
  int64_t rowsPerTask; ///< The last task may have fewer.
  int64_t rowTasks;
  int64_t tasks; ///< Of a token: those of the rows, then others.
  dim3 grid, block;

  /// `packets` is what a row has, `others` the number of the other tasks.
  TaskGrid(int64_t tokens, int64_t rows, int64_t packets, int64_t others,
           int numSMs)
      : tokens(tokens), rows(rows) {
    // Where there is little to do a task is small, to spread over the GPU.
    bool isMuch = tokens * rows * packets > int64_t(2048) * numSMs;
    int64_t budget = isMuch ? 128 : 64;
    rowsPerTask = std::max<int64_t>(1, budget / std::max<int64_t>(packets, 1));
    // gridDim.y has 16 bits.
    rowsPerTask = std::max(rowsPerTask, ceilDiv(rows, 32768));
    rowTasks = ceilDiv(rows, rowsPerTask);
    tasks = rowTasks + others;
    int64_t warps = std::min<int64_t>(tokens * tasks / numSMs + 1, maxWarps);
    int64_t groups = ceilDiv(std::max<int64_t>(tasks, 1), warps);
    int64_t inBlock = ceilDiv(std::max<int64_t>(tasks, 1), groups);
    int64_t tokensInBlock = std::max<int64_t>(1, warps / inBlock);
    block = dim3(warpLanes, static_cast<unsigned>(inBlock),
                 static_cast<unsigned>(tokensInBlock));
    grid = dim3(static_cast<unsigned>(ceilDiv(tokens, tokensInBlock)),
                static_cast<unsigned>(groups));
  }

  bool isEmpty() const { return tokens == 0 || tasks == 0; }
};

/// The calling warp's share of a TaskGrid.
struct Task {
  int lane;
  int64_t token, task;
  int64_t begin, end; ///< Its rows; none if it is one of the others.

  /// False where there is nothing left for the warp.
  __device__ bool find(const TaskGrid &grid) {
    lane = static_cast<int>(threadIdx.x);
    token = static_cast<int64_t>(blockIdx.x) * blockDim.z + threadIdx.z;
    task = static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y;
    begin = min(task * grid.rowsPerTask, grid.rows);
    end = min(begin + grid.rowsPerTask, grid.rows);
    return token < grid.tokens && task < grid.tasks;
  }
};

/// Packets that a thread reads before it writes the first.
constexpr int depth = 2;

/// Reads the rows [begin, end) of `width` columns, which `rowOf(r)` finds, and
/// calls `emit(r, column, count, packet)` for each packet.
template <typename RowOf, typename Emit>
__device__ void moveRows(int lane, int64_t begin, int64_t end, int64_t width,
                         RowOf rowOf, Emit emit) {
  int64_t packets = numPackets(width);
  LaneGrid lanes(lane, packets);
  for (int64_t p = lanes.first; p < packets; p += lanes.step) {
    int64_t column = p * packetSize, count = width - column;
    for (int64_t r = begin + lanes.row; r < end; r += depth * lanes.rows) {
      Packet packet[depth];
#pragma unroll
      for (int i = 0; i < depth; ++i)
        if (r + i * lanes.rows < end)
          packet[i] = loadPacket(rowOf(r + i * lanes.rows), column, count);
#pragma unroll
      for (int i = 0; i < depth; ++i)
        if (r + i * lanes.rows < end)
          emit(r + i * lanes.rows, column, count, packet[i]);
    }
  }
}

/// The same for rows that are rotated by the angles of `table`: calls `emit(r,
/// column, count, values)`. The angles are read once for all rows.
template <int style, typename RowOf, typename Emit>
__device__ void rotateRows(int lane, int64_t begin, int64_t end, int64_t width,
                           const Row &table, RowOf rowOf, Emit emit) {
  int64_t pairs = width / 2, packets = numPackets(pairs);
  LaneGrid lanes(lane, packets);
  for (int64_t p = lanes.first; p < packets; p += lanes.step) {
    int64_t pair = p * packetSize;
    Angles angles(table, pair, pairs);
    PairColumns<style> at(pair, pairs);
    for (int64_t r = begin + lanes.row; r < end; r += lanes.rows) {
      Row row = rowOf(r);
      Packet first = loadPacket(row, at.first, at.firstCount);
      Packet second = loadPacket(row, at.second, at.secondCount);
      float a[packetSize], b[packetSize];
      unpack(first, row.dtype, a);
      unpack(second, row.dtype, b);
      angles.template rotate<style>(a, b);
      emit(r, at.first, at.firstCount, a);
      emit(r, at.second, at.secondCount, b);
    }
  }
}

/// Writes 0 to the rows [begin, end), which `rowOf(r)` finds.
template <typename RowOf>
__device__ void zeroRows(int lane, int64_t begin, int64_t end, int64_t width,
                         RowOf rowOf) {
  int64_t packets = numPackets(width);
  LaneGrid lanes(lane, packets);
  for (int64_t p = lanes.first; p < packets; p += lanes.step)
    for (int64_t r = begin + lanes.row; r < end; r += lanes.rows)
      storePacket(rowOf(r), p * packetSize, Packet{}, width - p * packetSize);
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_WARPROWS_H
