//===- AppendElements.cu - append of any layout and type, on CUDA ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A token has one warp for its key, which rotates it once for the cache and for
// k_pe_out, and warps for groups of its heads, each of which reads the angles
// once.
//
//===----------------------------------------------------------------------===//

#include "Append.h"
#include "CacheRows.h"

using namespace mla;
using namespace mla::cuda;

namespace {

struct Append {
  Packets<2> cKv, kPe;
  Packets<3> qNope, qPe; ///< qPe is the query's own part where it is rotated.
  Tensor<1> slots, positions, cuQ;
  Packets<2> cosSin;
  Packets<3> query, queryNope, queryPe;
  Packets<2> kPeOut;
  CacheRows cache;
  const float *queryScale = nullptr;
  int64_t tokens = 0;
  int64_t numSlots = 0;
  bool hasCache = false;
  /// A rotated value is rounded to its input's type before all else.
  bool through = false;
  FaultRecord *fault = nullptr;

  Append(State &state, const mla_append_params &params);

  template <int style> __device__ void run(const Task &task) const;
  template <int style>
  __device__ void writeQuery(const Task &task, int64_t position,
                             float factor) const;
  template <int style>
  __device__ void writeKey(const Task &task, int64_t position, int64_t slot,
                           float latentFactor, float peFactor) const;
  __device__ void clear(const Task &task) const {
    int64_t t = task.token;
    if (query)
      zeroRows(task.lane, task.begin, task.end, query.width(),
               [&](int64_t h) { return query.row(t, h); });
    if (task.begin == task.end && kPeOut)
      zeroRows(task.lane, 0, 1, kPeOut.width(),
               [&](int64_t) { return kPeOut.row(t); });
  }

  /// What rotated values of the type `from` are in `to`.
  __device__ Packet packRotated(const float (&values)[packetSize],
                                uint32_t from, const Row &to,
                                float factor = 1.0f) const {
    Packet rounded = pack(values, through ? from : MLA_DTYPE_F32);
    return convert(rounded, through ? from : MLA_DTYPE_F32, to.dtype, factor);
  }
};

Append::Append(State &state, const mla_append_params &params)
    : cKv(params.c_kv), kPe(params.k_pe), qNope(params.q_nope),
      qPe(params.q_pe), slots(params.slots), positions(params.positions),
      cuQ(params.cu_q), cosSin(params.cos_sin), query(params.query),
      kPeOut(params.k_pe_out), cache(params),
      queryScale(CacheRows::scalarOf(params.query_scale)),
      hasCache(params.cache_latent),
      through(params.rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE),
      fault(state.fault) {
  for (const mla_tensor *tensor :
       {params.query, params.c_kv, params.k_pe, params.k_pe_out})
    if (tensor)
      tokens = tensor->shape[0];
  bool rotates = params.rope_style != MLA_ROPE_NONE;
  if (hasCache)
    numSlots = cache.latent.shape[0] * cache.latent.shape[1];
  if (query) {
    // The query's pe part: what q_pe fills, or what rotates in place.
    int64_t peWidth = params.q_pe ? qPe.width() : params.rope_head_dim;
    if (qNope)
      queryNope = Packets<3>(query.columns(0, qNope.width()));
    if (peWidth > 0)
      queryPe = Packets<3>(query.columns(query.width() - peWidth, peWidth));
    if (rotates && !qPe)
      qPe = queryPe;
  }
  if (!rotates)
    return;
  cosSin = inPairs(cosSin);
  kPe = inPairs(kPe);
  kPeOut = inPairs(kPeOut);
  cache.pe = inPairs(cache.pe);
  qPe = inPairs(qPe);
  queryPe = inPairs(queryPe);
}

template <int style>
__device__ void Append::writeQuery(const Task &task, int64_t position,
                                   float factor) const {
  int64_t t = task.token;
  if (qNope)
    moveRows(
        task.lane, task.begin, task.end, qNope.width(),
        [&](int64_t h) { return qNope.row(t, h); },
        [&](int64_t h, int64_t column, int64_t count, const Packet &packet) {
          storePacket(queryNope.row(t, h), column,
                      convert(packet, qNope.dtype, queryNope.dtype, factor),
                      count);
        });
  if (!qPe)
    return;
  auto rowOf = [&](int64_t h) { return qPe.row(t, h); };
  if constexpr (style == MLA_ROPE_NONE)
    moveRows(
        task.lane, task.begin, task.end, qPe.width(), rowOf,
        [&](int64_t h, int64_t column, int64_t count, const Packet &packet) {
          storePacket(queryPe.row(t, h), column,
                      convert(packet, qPe.dtype, queryPe.dtype, factor), count);
        });
  else
    rotateRows<style>(task.lane, task.begin, task.end, qPe.width(),
                      cosSin.row(position), rowOf,
                      [&](int64_t h, int64_t column, int64_t count,
                          const float (&values)[packetSize]) {
                        Row to = queryPe.row(t, h);
                        storePacket(to, column,
                                    packRotated(values, qPe.dtype, to, factor),
                                    count);
                      });
}

template <int style>
__device__ void Append::writeKey(const Task &task, int64_t position,
                                 int64_t slot, float latentFactor,
                                 float peFactor) const {
  int64_t t = task.token;
  bool cached = hasCache && slot != -1 &&
                !isOutside(fault, FaultSite::append_slots, t, slot, numSlots);
  int64_t page = 0, line = 0;
  if (cached) {
    page = slot / cache.latent.shape[1];
    line = slot - page * cache.latent.shape[1];
    cache.storeLatent(task.lane, page, line, cKv.row(t), latentFactor);
  }
  bool writesPe = cached && cache.pe;
  if (!kPe || !(writesPe || kPeOut))
    return;
  Row peRow = writesPe ? cache.pe.row(page, line) : Row{};
  Row outRow = kPeOut ? kPeOut.row(t) : Row{};
  auto rowOf = [&](int64_t) { return kPe.row(t); };
  if constexpr (style == MLA_ROPE_NONE)
    moveRows(task.lane, 0, 1, kPe.width(), rowOf,
             [&](int64_t, int64_t column, int64_t count, const Packet &packet) {
               if (writesPe)
                 storePacket(peRow, column,
                             convert(packet, kPe.dtype, peRow.dtype, peFactor),
                             count);
               if (kPeOut)
                 storePacket(outRow, column,
                             convert(packet, kPe.dtype, outRow.dtype), count);
             });
  else
    rotateRows<style>(
        task.lane, 0, 1, kPe.width(), cosSin.row(position), rowOf,
        [&](int64_t, int64_t column, int64_t count,
            const float (&values)[packetSize]) {
          if (writesPe)
            storePacket(peRow, column,
                        packRotated(values, kPe.dtype, peRow, peFactor), count);
          if (kPeOut)
            storePacket(outRow, column, packRotated(values, kPe.dtype, outRow),
                        count);
        });
}

template <int style> __device__ void Append::run(const Task &task) const {
  int64_t t = task.token;
  bool isKey = task.begin == task.end;
  // All are read at once; which of them count is seen afterwards.
  int64_t position = style == MLA_ROPE_NONE ? 0 : loadInt(positions, t);
  int64_t slot = isKey && hasCache ? loadInt(slots, t) : -1;
  int64_t last = cuQ.shape[0] - 1, real = cuQ ? loadInt(cuQ, last) : tokens;
  float query = queryScale ? *queryScale : 1.0f;
  float latent = cache.latentScale ? *cache.latentScale : 1.0f;
  float pe = cache.peScale ? *cache.peScale : 1.0f;
  isOutside(fault, FaultSite::append_cu_q, last, real, tokens + 1);
  if (isBadScale(fault, FaultSite::append_query_scale, query) ||
      isBadScale(fault, FaultSite::append_latent_scale, latent) ||
      isBadScale(fault, FaultSite::append_pe_scale, pe) || t >= real ||
      (style != MLA_ROPE_NONE && isOutside(fault, FaultSite::append_positions,
                                           t, position, cosSin.shape[0])))
    return clear(task);
  if (isKey)
    writeKey<style>(task, position, slot, 1.0f / latent, 1.0f / pe);
  else
    writeQuery<style>(task, position, 1.0f / query);
}

template <int style>
__global__ void __launch_bounds__(maxWarps *warpLanes)
    appendTokens(Append append, TaskGrid grid) {
  waitForStream();
  Task task;
  if (task.find(grid))
    append.run<style>(task);
}

/// Packets of a head that lanes take, in twos where they are rotated.
int64_t packetsOfHead(const Append &append, int64_t style) {
  int64_t pe = append.qPe.width();
  return numPackets(append.qNope.width()) +
         numPackets(style == MLA_ROPE_NONE ? pe : pe / 2);
}

} // namespace

cudaError_t mla::cuda::loadAppendElements() {
  return loadKernels(appendTokens<MLA_ROPE_NONE>,
                     appendTokens<MLA_ROPE_INTERLEAVED>,
                     appendTokens<MLA_ROPE_HALF>);
}

mla_status mla::cuda::appendElements(mla_context &ctx,
                                     const mla_append_params &params) {
  Append append(stateOf(ctx), params);
  // Heads are left alone where nothing is written to them, padding included.
  bool touchesQuery = append.qNope || append.qPe || append.cuQ ||
                      params.query_scale || params.latent_scale ||
                      params.pe_scale;
  int64_t heads = append.query && touchesQuery ? append.query.shape[1] : 0;
  bool hasKey = append.hasCache || append.kPeOut;
  TaskGrid grid(append.tokens, heads, packetsOfHead(append, params.rope_style),
                hasKey, stateOf(ctx).numSMs);
  if (grid.isEmpty())
    return MLA_STATUS_OK;
  auto kernel = appendTokens<MLA_ROPE_NONE>;
  if (params.rope_style == MLA_ROPE_INTERLEAVED)
    kernel = appendTokens<MLA_ROPE_INTERLEAVED>;
  else if (params.rope_style == MLA_ROPE_HALF)
    kernel = appendTokens<MLA_ROPE_HALF>;
  return launchEarly(ctx, "append", kernel, grid.grid, grid.block, 0, append,
                     grid);
}
