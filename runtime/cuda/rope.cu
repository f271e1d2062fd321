//===- rope.cu - Rotary position embedding alone, on CUDA -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Fault.h"
#include "Kernels.h"
#include "Strided.h"
#include "WarpRows.h"

using namespace mla;
using namespace mla::cuda;

namespace {

/// `tensor`, [T, *, R], with as many dims of size 1 behind the first one as
/// make it one of MLA_MAX_RANK.
mla_tensor padded(const mla_tensor &tensor) {
  mla_tensor result = tensor;
  result.rank = MLA_MAX_RANK;
  int added = MLA_MAX_RANK - tensor.rank;
  for (int i = MLA_MAX_RANK - 1; i > 0; --i) {
    bool isNew = i <= added;
    result.shape[i] = isNew ? 1 : tensor.shape[i - added];
    result.strides[i] = isNew ? 1 : tensor.strides[i - added];
  }
  return result;
}

using Tokens = Packets<MLA_MAX_RANK>;

struct Rope {
  Tokens y, x;
  Strided<2> rows; ///< Of the first token: view 0 is y, 1 is x.
  Tensor<1> positions;
  Packets<2> cosSin;
  FaultRecord *fault;

  Rope(State &state, const mla_rope_params &params, const mla_tensor &y,
       const mla_tensor &x)
      : y(inPairs(Tokens(&y))), x(inPairs(Tokens(&x))),
        rows({&y, &x}, 1, MLA_MAX_RANK - 1), positions(params.positions),
        cosSin(inPairs(Packets<2>(params.cos_sin))), fault(state.fault) {}

  /// Row `r` of token `t` in `tokens`, which is `view` of the rows.
  __device__ Row rowOf(const Tokens &tokens, int view, int64_t t,
                       int64_t r) const {
    char *address[2];
    rows.find(r, rows.rank, address);
    Row row = tokens.row(t);
    row.data += address[view] - tokens.data;
    return row;
  }
};

template <int style>
__global__ void __launch_bounds__(maxWarps *warpLanes)
    rotateTokens(Rope rope, TaskGrid grid) {
  waitForStream();
  Task task;
  if (!task.find(grid))
    return;
  int64_t t = task.token, position = loadInt(rope.positions, t);
  auto yRow = [&](int64_t r) { return rope.rowOf(rope.y, 0, t, r); };
  auto xRow = [&](int64_t r) { return rope.rowOf(rope.x, 1, t, r); };
  if (isOutside(rope.fault, FaultSite::rope_positions, t, position,
                rope.cosSin.shape[0]))
    return zeroRows(task.lane, task.begin, task.end, rope.x.width(), yRow);
  rotateRows<style>(task.lane, task.begin, task.end, rope.x.width(),
                    rope.cosSin.row(position), xRow,
                    [&](int64_t r, int64_t column, int64_t count,
                        const float (&values)[packetSize]) {
                      storePacket(yRow(r), column, pack(values, rope.y.dtype),
                                  count);
                    });
}

} // namespace

cudaError_t mla::cuda::load_rope(const State &) {
  return loadKernels(rotateTokens<MLA_ROPE_INTERLEAVED>,
                     rotateTokens<MLA_ROPE_HALF>);
}

mla_status mla::cuda::rope(mla_context &ctx, const mla_rope_params &params) {
  if (params.rope_style == MLA_ROPE_NONE) {
    mla_copy_params copied = {};
    copied.struct_size = sizeof(copied);
    copied.src = params.x;
    copied.dst = params.y;
    return copy(ctx, copied);
  }
  for (int i = 0; i < params.x->rank; ++i)
    if (params.x->shape[i] == 0)
      return MLA_STATUS_OK;
  Rope rope(stateOf(ctx), params, padded(*params.y), padded(*params.x));
  TaskGrid grid(rope.x.shape[0], rope.rows.count(),
                numPackets(rope.x.width() / 2), 0, stateOf(ctx).numSMs);
  auto kernel = params.rope_style == MLA_ROPE_INTERLEAVED
                    ? rotateTokens<MLA_ROPE_INTERLEAVED>
                    : rotateTokens<MLA_ROPE_HALF>;
  return launchEarly(ctx, "rope", kernel, grid.grid, grid.block, 0, rope, grid);
}
