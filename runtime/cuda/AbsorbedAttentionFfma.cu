//===- AbsorbedAttentionFfma.cu - Absorbed attention in f32 ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Tiles of 16 rows, which are (token, head) pairs of a sequence, or with
// indices of a token, spread over the CTAs as AttentionSplit.h has it. The
// cache is of any type; keys are widened, and scaled, as they are read.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedCall.h"
#include "AttentionFfmaTile.h"

using namespace mla;
using namespace mla::cuda;

namespace {

const char *const op = "absorbed_attention";

static_assert(ffmaTileRows == AttentionFfmaTile::rows, "");

struct Params {
  AbsorbedParams call;
  Columns query, latent, pe;
};

/// One CTA: what attendFfma() is to compute.
class Source {
public:
  struct Task {
    int64_t rowBegin, rowEnd; ///< Of the sequence, or the token.
    int64_t begin, end;       ///< Positions, or places in the indices.
    Sequence sequence;
    int batch, firstToken;
    int seen; ///< With indices: what the token sees.
    bool isWhole;
    int slot; ///< If not.
  };

  __device__ Source(const Params &params)
      : params(params), p(params.call), call(p) {}

  /// Does the CTA's share, tile by tile.
  __device__ void run(Task &task, float *block, FfmaShared &shared);

  __device__ int keyWidth() const { return params.query.width; }
  __device__ int valueWidth() const { return params.latent.width; }
  __device__ float scale() const { return logitScale; }

  __device__ int64_t tokenOf(const Task &task, int row) const {
    return task.firstToken + (task.rowBegin + row) / p.heads;
  }
  __device__ int64_t headOf(const Task &task, int row) const {
    return (task.rowBegin + row) % p.heads;
  }
  __device__ const char *query(const Task &task, int row) const {
    return p.query.at(tokenOf(task, row), headOf(task, row));
  }
  __device__ int bound(const Task &task, int row) const {
    if (p.hasIndices)
      return INT_MAX;
    return call.visible(task.sequence, static_cast<int>(tokenOf(task, row)));
  }
  /// The parts of a split tile get none: it is added where they are merged.
  __device__ float sink(const Task &task, int row) const {
    return p.sinks && task.isWhole
               ? *reinterpret_cast<const float *>(p.sinks.at(headOf(task, row)))
               : -INFINITY;
  }

  __device__ KeyAddress key(const Task &task, int64_t candidate) const {
    auto position = static_cast<int>(candidate);
    if (p.hasIndices) {
      position =
          static_cast<int>(loadInt(p.indices, task.firstToken, candidate));
      if (position < 0 || position >= task.seen)
        return {};
    }
    int page = call.rawPage(task.batch, position), line = call.lineOf(position);
    if (!call.pageExists(task.batch, position, page))
      return {};
    const char *latent = p.latent.at(page, line);
    return {true, latent, p.pe.at(page, line), latent,
            p.scales ? p.scales.at(page, line) : nullptr};
  }

  __device__ float4 loadQuery(const char *row, int column) const {
    return params.query.load(row, column);
  }
  __device__ float4 loadKey(const KeyAddress &key, int column) const {
    float4 quad = loadParts(params.latent, key.nope, params.pe, key.pe, column);
    float scale = latentScaleAt(key, column), *elements = &quad.x;
#pragma unroll
    for (int i = 0; i < 4; ++i)
      elements[i] *= column + i < valueWidth() ? scale : peScale;
    return quad;
  }
  __device__ float4 loadValue(const KeyAddress &key, int column) const {
    float scale = latentScaleAt(key, column);
    float4 quad = params.latent.load(key.nope, column);
    return {quad.x * scale, quad.y * scale, quad.z * scale, quad.w * scale};
  }

  __device__ void store(const Task &task, int row, int column,
                        float value) const {
    if (task.isWhole)
      storeElement(p.o.at(tokenOf(task, row), headOf(task, row), column),
                   p.o.dtype, value);
    else
      stateOf(task)[row * maxSlotColumns + column] = value;
  }
  __device__ void storeLse(const Task &task, int row, float lse) const {
    if (!task.isWhole)
      stateOf(task)[maxTileRows * maxSlotColumns + row] = lse * log2e;
    else if (p.hasLse)
      *reinterpret_cast<float *>(
          p.lse.at(tokenOf(task, row), headOf(task, row))) = lse;
  }

private:
  static constexpr int scaleBlock = 128; ///< Columns that share a scale.

  __device__ bool enter(const Cursor &at, int real, Task &task) const;
  __device__ void setTile(int64_t rows, int tile, int blockBegin, int blockEnd,
                          Task &task) const;
  __device__ float latentScaleAt(const KeyAddress &key, int column) const {
    if (!key.scales || column >= valueWidth())
      return latentScale;
    return *reinterpret_cast<const float *>(
        key.scales + column / scaleBlock * p.scales.strides[2]);
  }
  __device__ float *stateOf(const Task &task) const {
    return p.slots + task.slot * slotFloats;
  }

  const Params &params;
  const AbsorbedParams &p;
  const AbsorbedCall call;
  float latentScale, peScale, logitScale;
};

/// Finds the sequence, or the token, that cursor `at` is in; false where there
/// is none.
__device__ bool Source::enter(const Cursor &at, int real, Task &task) const {
  task.batch = at.sequence;
  if (p.hasIndices) {
    task.batch = at.sequence < real ? call.sequenceOf(at.sequence) : -1;
    if (task.batch < 0)
      return false;
  } else if (at.sequence >= p.seqs) {
    return false;
  }
  task.sequence = call.sequence(task.batch);
  task.firstToken = task.sequence.tokenBegin;
  if (p.hasIndices) {
    task.firstToken = at.sequence;
    if (task.firstToken < task.sequence.tokenBegin ||
        task.firstToken >= task.sequence.tokenEnd)
      return false;
    task.seen = call.visible(task.sequence, task.firstToken);
  }
  return true;
}

/// Of `rows` rows, those of tile `tile`, and what they see of some blocks.
__device__ void Source::setTile(int64_t rows, int tile, int blockBegin,
                                int blockEnd, Task &task) const {
  task.rowBegin = static_cast<int64_t>(tile) * ffmaTileRows;
  task.rowEnd = min(task.rowBegin + ffmaTileRows, rows);
  int64_t seen = 0;
  if (p.hasIndices) {
    seen = task.seen > 0 ? p.topk : 0;
  } else {
    int last = static_cast<int>(task.rowEnd - 1 - task.rowBegin);
    int64_t tokensEnd = tokenOf(task, last) + 1;
    for (int64_t t = tokenOf(task, 0); t < tokensEnd; ++t)
      seen = max(seen, static_cast<int64_t>(
                           call.visible(task.sequence, static_cast<int>(t))));
  }
  task.begin = static_cast<int64_t>(blockBegin) * blockKeys;
  task.end = min(static_cast<int64_t>(blockEnd) * blockKeys, seen);
}

__device__ void Source::run(Task &task, float *block, FfmaShared &shared) {
  float queryScale;
  call.checkSequences();
  bool usable = call.isUsable(queryScale, latentScale, peScale);
  int real = usable ? call.realTokens() : 0;
  call.writeNothing(real, p.tokens);
  if (!usable)
    return;
  logitScale = p.scale * ln2 * queryScale;
  Split split = call.split(real);
  int lanes = split.lanes(), part = blockIdx.x / lanes;
  Split::Cut cut = split.cut();
  if (part >= cut.parts)
    return;
  Cursor at = split.start(part, cut), end = split.start(part + 1, cut);
  while (at < end && at.sequence >= 0 && at.item >= 0 && at.block >= 0) {
    Task next = {};
    int64_t rows = 0;
    int blocks = 0, rowTiles = 0;
    if (enter(at, real, next)) {
      rows = p.heads;
      if (!p.hasIndices)
        rows *= next.sequence.tokenEnd - next.sequence.tokenBegin;
      blocks = ceilDiv(p.hasIndices ? p.topk : next.sequence.length, blockKeys);
      rowTiles = static_cast<int>(ceilDiv(rows, ffmaTileRows));
    } else if (p.hasIndices ? at.sequence >= real : at.sequence >= p.seqs) {
      return;
    }
    if (at.item >= Split::itemsOf(rowTiles, lanes)) {
      at = {at.sequence + 1, 0, 0};
      continue;
    }
    int tile = at.item * lanes + static_cast<int>(blockIdx.x) % lanes;
    bool endsHere = end.sequence == at.sequence && end.item == at.item;
    int blockBegin = at.block, blockEnd = blocks;
    if (endsHere && p.splits())
      blockEnd = min(end.block, blocks);
    blockBegin = min(blockBegin, blockEnd);
    // A tile that isn't split is the CTA's in which it begins.
    if (tile < rowTiles && (at.block == 0 || p.splits())) {
      setTile(rows, tile, blockBegin, blockEnd, next);
      next.isWhole = at.block == 0 && blockEnd == blocks;
      next.slot = 2 * blockIdx.x + (at.block == 0);
      __syncthreads(); // the tile before is done with shared memory
      if (threadIdx.x == 0)
        task = next;
      __syncthreads();
      attendFfma(*this, task, block, shared);
    }
    at = {at.sequence, at.item + 1, 0};
  }
}

__global__ void __launch_bounds__(AttentionFfmaTile::threads, 1)
    absorbedFfma(const __grid_constant__ Params params) {
  extern __shared__ __align__(16) float block[];
  __shared__ FfmaShared shared;
  __shared__ __align__(16) char taskBytes[sizeof(Source::Task)];
  waitForStream();
  Source(params).run(*reinterpret_cast<Source::Task *>(taskBytes), block,
                     shared);
}

} // namespace

mla_status mla::cuda::launchAbsorbedFfma(mla_context &ctx,
                                         const AbsorbedParams &call) {
  Params params{call, Columns(call.query), Columns(call.latent),
                Columns(call.pe)};
  return launchEarly(
      ctx, op, absorbedFfma, ffmaGrid(call.shape.numCTAs, call.latentWidth, 1),
      dim3(AttentionFfmaTile::threads),
      AttentionFfmaTile::sharedBytes(call.query.width()), params);
}

cudaError_t mla::cuda::loadAbsorbedFfma(const State &state) {
  return allowFfma(state, absorbedFfma);
}
