//===- ExpandedAttentionFfma.cu - Expanded attention in f32 ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A block takes 16 tokens of a sequence and one head; with indices, where each
// token has keys of its own, one token.
//
//===----------------------------------------------------------------------===//

#include "AttentionFfma.h"

#include "AttentionFfmaTile.h"
#include "ExpandedKeys.h"

using namespace mla;
using namespace mla::cuda;

namespace {

const char *const op = "expanded_attention";

struct Source {
  Tensor<3> q, kNope, v, o;
  Tensor<2> kPe, lse, indices;
  Tensor<1> sinks;
  Columns queryColumns, nopeColumns, peColumns, valueColumns;
  ExpandedKeys keys;
  TileShape shape;
  bool hasIndices;
  float softmaxScale;
  FaultRecord *fault;

  Source(mla_context &ctx, const mla_expanded_attention_params &params)
      : q(params.q), kNope(params.k_nope), v(params.v), o(params.o),
        kPe(params.k_pe), lse(params.lse), indices(params.indices),
        sinks(params.sinks), queryColumns(q), nopeColumns(kNope),
        peColumns(kPe), valueColumns(v), keys(params),
        shape{1, params.indices ? 1 : AttentionFfmaTile::rows},
        hasIndices(params.indices),
        softmaxScale(static_cast<float>(params.softmax_scale)),
        fault(stateOf(ctx).fault) {}

  struct Task {
    int64_t rowBegin, rowEnd;
    int64_t begin, end; ///< Candidates.
    RowTile tile;
    KeyRange keys;
  };

  __device__ int64_t head() const { return blockIdx.z; }
  __device__ int keyWidth() const { return queryColumns.width; }
  __device__ int valueWidth() const { return valueColumns.width; }
  __device__ float scale() const { return softmaxScale; }

  /// Finds the block's task; false where there is none.
  __device__ bool start(Task &task) const {
    if (blockIdx.x == 0 && blockIdx.y == 0 && blockIdx.z == 0)
      keys.check(fault);
    if (!findTile(keys.tokens, shape, blockIdx.x, task.tile))
      return false;
    task.rowBegin = task.tile.rowBegin;
    task.rowEnd = task.tile.rowEnd;
    if (!task.tile.isPadding)
      task.keys = keys.keysOf(task.tile.sequence);
    // The last token sees the most.
    task.begin = 0;
    task.end = visible(task, task.rowEnd - 1);
    if (hasIndices && task.end > 0)
      task.end = indices.shape[1];
    return true;
  }

  __device__ int64_t visible(const Task &task, int64_t t) const {
    return keys.visible(task.keys, task.tile.tokensEnd, t);
  }

  __device__ const char *query(const Task &task, int row) const {
    return q.at(task.rowBegin + row, head());
  }
  __device__ float sink(const Task &task, int) const {
    return sinks && !task.tile.isPadding
               ? *reinterpret_cast<const float *>(sinks.at(head()))
               : -INFINITY;
  }
  __device__ int bound(const Task &task, int row) const {
    return hasIndices ? INT_MAX
                      : static_cast<int>(visible(task, task.rowBegin + row));
  }

  __device__ KeyAddress key(const Task &task, int64_t candidate) const {
    int64_t place = candidate;
    if (hasIndices) {
      place = loadInt(indices, task.rowBegin, candidate) - task.keys.position;
      if (place < 0 || place >= visible(task, task.rowBegin))
        return {};
    }
    int64_t row = task.keys.row + place;
    return {true, kNope.at(row, head()), kPe.at(row), v.at(row, head()),
            nullptr};
  }

  __device__ float4 loadQuery(const char *row, int column) const {
    return queryColumns.load(row, column);
  }
  __device__ float4 loadKey(const KeyAddress &key, int column) const {
    return loadParts(nopeColumns, key.nope, peColumns, key.pe, column);
  }
  __device__ float4 loadValue(const KeyAddress &key, int column) const {
    return valueColumns.load(key.value, column);
  }

  __device__ void store(const Task &task, int row, int column,
                        float value) const {
    storeElement(o.at(task.rowBegin + row, head(), column), o.dtype, value);
  }
  __device__ void storeLse(const Task &task, int row, float value) const {
    if (lse)
      *reinterpret_cast<float *>(lse.at(task.rowBegin + row, head())) = value;
  }
};

__global__ void __launch_bounds__(AttentionFfmaTile::threads, 2)
    expandedFfma(const __grid_constant__ Source source) {
  extern __shared__ __align__(16) float block[];
  __shared__ FfmaShared shared;
  // Registers are scarce.
  __shared__ __align__(16) char taskBytes[sizeof(Source::Task)];
  auto &task = *reinterpret_cast<Source::Task *>(taskBytes);
  Source::Task found;
  waitForStream();
  if (!source.start(found))
    return;
  if (threadIdx.x == 0)
    task = found;
  __syncthreads();
  attendFfma(source, task, block, shared);
}

} // namespace

mla_status
mla::cuda::expandedAttentionFfma(mla_context &ctx,
                                 const mla_expanded_attention_params &params) {
  Source source(ctx, params);
  int64_t tiles = source.shape.maxTiles(source.q.shape[0],
                                        source.keys.tokens.numSequences());
  return launchEarly(ctx, op, expandedFfma,
                     ffmaGrid(tiles, params.v->shape[2], params.q->shape[1]),
                     dim3(AttentionFfmaTile::threads),
                     AttentionFfmaTile::sharedBytes(params.q->shape[2]),
                     source);
}

cudaError_t mla::cuda::loadExpandedAttentionFfma(const State &state) {
  return allowFfma(state, expandedFfma);
}

mla_status mla::cuda::supportsAttentionFfma(mla_context &ctx, const char *op,
                                            const char *name,
                                            int64_t keyWidth) {
  int64_t most = stateOf(ctx).maxSharedBytes - ffmaStaticBytes;
  if (keyWidth < INT_MAX && AttentionFfmaTile::sharedBytes(keyWidth) <= most)
    return MLA_STATUS_OK;
  int64_t widest = 0;
  while (AttentionFfmaTile::sharedBytes(widest + 1) <= most)
    ++widest;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
              "mla_%s: %s: expected at most %lld columns, which is what the "
              "GPU's shared memory takes, got %lld",
              op, name, static_cast<long long>(widest),
              static_cast<long long>(keyWidth));
}
