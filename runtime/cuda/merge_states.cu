//===- merge_states.cu - Partial attention states added up, on CUDA -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A state (o, lse) stands for the pair (exp(lse) o, exp(lse)), and states add
// up as those pairs do. A warp adds up the states of a token and head: its
// lanes have packets of the columns, and each goes over the states in order.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "WarpRows.h"

#include <cmath>

using namespace mla;
using namespace mla::cuda;

namespace {

struct MergeStates {
  Packets<4> states;
  Tensor<3> lses;
  Packets<3> acc;
  Tensor<2> accLse;

  explicit MergeStates(const mla_merge_states_params &params)
      : states(params.o_states), lses(params.lse_states), acc(params.o),
        accLse(params.lse) {}

  __device__ void merge(int lane, int64_t t, int64_t h) const;
};

/// Adds `weight` times the packet that is next in `row`.
__device__ void addPacket(float (&sum)[packetSize], float weight,
                          const Row &row, int64_t column, int64_t count) {
  float values[packetSize];
  unpack(loadPacket(row, column, count), row.dtype, values);
#pragma unroll
  for (int i = 0; i < packetSize; ++i)
    sum[i] += weight * values[i];
}

__device__ void MergeStates::merge(int lane, int64_t t, int64_t h) const {
  const float empty = -INFINITY;
  int64_t number = lses.shape[0], width = acc.width();
  auto lseOf = [&](int64_t s) {
    return *reinterpret_cast<const float *>(lses.at(s, t, h));
  };
  auto &newLse = *reinterpret_cast<float *>(accLse.at(t, h));
  float old = newLse, top = old;
  bool any = false;
  for (int64_t s = lane; s < number; s += warpLanes) {
    float lse = lseOf(s);
    any |= lse != empty;
    top = fmaxf(top, lse);
  }
  // Adding empty states leaves the accumulator as it is, to the bit.
  if (!__any_sync(~0u, any))
    return;
#pragma unroll
  for (int distance = warpLanes / 2; distance > 0; distance /= 2)
    top = fmaxf(top, __shfl_xor_sync(~0u, top, distance));
  // An empty state's o takes no part, whatever it holds.
  float oldWeight = old == empty ? 0.0f : expf(old - top);
  float total = oldWeight;
  for (int64_t s = 0; s < number; ++s)
    if (lseOf(s) != empty)
      total += expf(lseOf(s) - top);
  float share = 1.0f / total;
  Row to = acc.row(t, h), state = states.row(0, t, h);
  for (int64_t column = lane * packetSize; column < width;
       column += warpLanes * packetSize) {
    int64_t count = width - column;
    float sum[packetSize] = {};
    if (old != empty)
      addPacket(sum, oldWeight, to, column, count);
    for (int64_t s = 0; s < number; ++s) {
      state.data = states.at(s, t, h);
      if (lseOf(s) != empty)
        addPacket(sum, expf(lseOf(s) - top), state, column, count);
    }
#pragma unroll
    for (float &value : sum)
      value *= share;
    storePacket(to, column, pack(sum, MLA_DTYPE_F32), count);
  }
  __syncwarp();
  if (lane == 0)
    newLse = top + logf(total);
}

__global__ void __launch_bounds__(maxWarps *warpLanes)
    addStates(MergeStates states, TaskGrid grid) {
  waitForStream();
  Task task;
  if (!task.find(grid))
    return;
  for (int64_t h = task.begin; h < task.end; ++h)
    states.merge(task.lane, task.token, h);
}

} // namespace

cudaError_t mla::cuda::load_merge_states(const State &) {
  return loadKernels(addStates);
}

mla_status mla::cuda::merge_states(mla_context &ctx,
                                   const mla_merge_states_params &params) {
  MergeStates states(params);
  int64_t packets = numPackets(states.acc.width());
  TaskGrid grid(states.acc.shape[0], states.acc.shape[1], packets, 0,
                stateOf(ctx).numSMs);
  if (grid.isEmpty() || states.lses.shape[0] == 0)
    return MLA_STATUS_OK;
  return launchEarly(ctx, "merge_states", addStates, grid.grid, grid.block, 0,
                     states, grid);
}
