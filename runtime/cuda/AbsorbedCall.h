//===- AbsorbedCall.h - Device data of a call, read with care -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_ABSORBEDCALL_H
#define MLA_RUNTIME_CUDA_ABSORBEDCALL_H

#include "AbsorbedAttention.h"
#include "Convert.h"
#include "Fault.h"
#include "ptx.h"

namespace mla {
namespace cuda {

constexpr float log2e = 1.4426950408889634f;
constexpr float ln2 = 0.6931471805599453f;

/// A sequence's share of the tokens, and its keys; empty where the data are
/// bad.
struct Sequence {
  int tokenBegin, tokenEnd, length;
};

__device__ inline float minusInfinity() { return __int_as_float(0xff800000); }

/// Device data of a call, read with care.
class AbsorbedCall {
public:
  __device__ explicit AbsorbedCall(const AbsorbedParams &p) : p(p) {}

  /// Keys that a sequence's row of the page table reaches.
  __device__ int64_t capacity() const {
    return static_cast<int64_t>(p.numPagesOfSeq) * p.pageSize;
  }

  /// Keys that a sequence may have.
  __device__ int64_t mostKeys() const {
    return isHinted() ? p.maxKv : capacity();
  }
  __device__ bool isHinted() const {
    return p.maxKv > 0 && p.maxKv < capacity();
  }

  /// The split of a call whose tokens from `tokens` on are padding.
  __device__ Split split(int tokens) const {
    Split result;
    result.schedule = p.schedule;
    result.tileRows = p.shape.tileRows;
    result.numCTAs = p.shape.numCTAs;
    result.indexed = p.hasIndices;
    result.numTokens = tokens;
    result.indexBlocks = (p.topk + blockKeys - 1) / blockKeys;
    result.rowTiles = (p.heads + p.shape.tileRows - 1) / p.shape.tileRows;
    return result;
  }

  /// Tokens that belong to a sequence: those from here on are padding.
  __device__ int realTokens() const {
    return realTokens(loadInt(p.cuQ, p.seqs));
  }
  /// The same, of what cu_q holds.
  __device__ int realTokens(int64_t count) const {
    isOutside(p.fault, FaultSite::absorbed_attention_cu_q, p.seqs, count,
              static_cast<int64_t>(p.tokens) + 1);
    return realTokensUnchecked(count);
  }
  /// The same, without anything recorded.
  __device__ int realTokensUnchecked(int64_t count) const {
    return static_cast<int>(
        max(min(count, static_cast<int64_t>(p.tokens)), int64_t(0)));
  }

  /// Whether the scales and the caller's schedule can be used. Else all rows
  /// get what padding gets.
  __device__ bool isUsable(float &queryScale, float &latentScale,
                           float &peScale) const {
    // Looked at once all is under way: one wait instead of many.
    int header[ScheduleHeader] = {};
    if (p.callersSchedule)
#pragma unroll
      for (int i = 0; i < ScheduleHeader; ++i)
        header[i] = static_cast<int>(loadInt(p.callersSchedule, i));
    queryScale = p.queryScale ? *p.queryScale : 1;
    latentScale = p.latentScale ? *p.latentScale : 1;
    peScale = p.peScale ? *p.peScale : 1;
    return !isBadScale(p.fault, FaultSite::absorbed_attention_query_scale,
                       queryScale) &&
           !isBadScale(p.fault, FaultSite::absorbed_attention_latent_scale,
                       latentScale) &&
           !isBadScale(p.fault, FaultSite::absorbed_attention_pe_scale,
                       peScale) &&
           (!p.callersSchedule || scheduleFits(header));
  }

  /// Whether the caller's schedule, which begins with `header`, was made for
  /// such a call.
  __device__ bool scheduleFits(const int (&header)[ScheduleHeader]) const {
    const FaultSite site = FaultSite::absorbed_attention_schedule;
    const int expected[] = {scheduleMagic, p.seqs,          p.heads,
                            p.pageSize,    p.shape.numCTAs, maxTileRows};
    static_assert(ScheduleMagic == 0 && ScheduleNumSeqs == 1 &&
                      ScheduleNumHeads == 2 && SchedulePageSize == 3 &&
                      ScheduleNumCTAs == 4 && ScheduleTileRows == 5,
                  "the order of the above");
#pragma unroll
    for (int i = 0; i < 6; ++i)
      if (header[i] != expected[i]) {
        recordFault(p.fault, site, i, header[i],
                    static_cast<int64_t>(expected[i]) + 1, expected[i]);
        return false;
      }
    // What the kernels rely on to end.
    int most = p.shape.numCTAs;
    int lanes = header[ScheduleLanes], parts = header[ScheduleParts];
    return !isOutside(p.fault, site, ScheduleLanes, lanes, most + 1, 1) &&
           !isOutside(p.fault, site, ScheduleParts, parts, most / lanes + 1, 1);
  }

  /// Sequence `b`, without anything recorded.
  __device__ Sequence sequence(int b) const { return usable(rawSequence(b)); }

  /// The same as it was given, and what can be done with that.
  __device__ Sequence rawSequence(int b) const {
    return {loadLow(p.cuQ, b), loadLow(p.cuQ, b + 1), loadLow(p.kvLens, b)};
  }
  __device__ Sequence usable(Sequence seq) const {
#ifndef MLA_CUDA_UNCHECKED
    if (seq.tokenBegin < 0 || seq.tokenBegin > p.tokens ||
        seq.tokenEnd < seq.tokenBegin || seq.tokenEnd > p.tokens)
      return {0, 0, 0};
    if (seq.length < 0 || seq.length > mostKeys())
      seq.length = 0;
#endif
    return seq;
  }

  /// Records what is wrong with sequence `b`: the first that is.
  __device__ void checkSequence([[maybe_unused]] int b) const {
#ifndef MLA_CUDA_UNCHECKED
    int64_t begin = loadInt(p.cuQ, b), end = loadInt(p.cuQ, b + 1);
    int64_t length = loadInt(p.kvLens, b), planned = length;
    int64_t at = ScheduleLengths + 2 * static_cast<int64_t>(b);
    if (p.callersSchedule)
      planned = loadInt(p.callersSchedule, at);
    FaultSite site = FaultSite::absorbed_attention_cu_q;
    int64_t index = b, value = begin, limit = p.tokens + int64_t(1), lowest = 0;
    if (b == 0 && begin != 0) {
      limit = 1;
    } else if (planned != length) {
      // A schedule of other lengths: the split is uneven, and with it the
      // merge.
      site = FaultSite::absorbed_attention_schedule;
      index = at, value = planned, limit = length + 1, lowest = length;
    } else if (begin >= 0 && begin < limit) {
      if (end < begin || end >= limit) {
        index = b + 1, value = end, lowest = begin;
      } else if (length < 0 || length > mostKeys()) {
        site = isHinted() ? FaultSite::absorbed_attention_max_kv
                          : FaultSite::absorbed_attention_kv_lens;
        value = length, limit = mostKeys() + 1;
      } else {
        return;
      }
    }
    recordFault(p.fault, site, index, value, limit, lowest);
#endif
  }

  /// The sequence that token `t` < realTokens() belongs to, by bisection; -1
  /// where the offsets aren't in order.
  __device__ int sequenceOf(int t) const {
    int low = 0, high = p.seqs; // cu_q[low] <= t < cu_q[high]
    while (high - low > 1) {
      int middle = (low + high) / 2;
      (loadInt(p.cuQ, middle) <= t ? low : high) = middle;
    }
    bool holds =
        p.seqs > 0 && loadInt(p.cuQ, low) <= t && t < loadInt(p.cuQ, low + 1);
    return holds ? low : -1;
  }

  /// Positions that token `t` sees are below this.
  __device__ int visible(const Sequence &seq, int t) const {
    if (!p.kvBounds)
      return max(seq.length - (seq.tokenEnd - 1 - t), 0);
    int64_t bound = loadInt(p.kvBounds, t);
    isOutside(p.fault, FaultSite::absorbed_attention_kv_bounds, t, bound,
              seq.length + int64_t(1));
    return clampedBound(seq, bound);
  }
  /// The same, without anything recorded.
  __device__ int visibleUnchecked(const Sequence &seq, int t) const {
    return p.kvBounds ? clampedBound(seq, loadInt(p.kvBounds, t))
                      : max(seq.length - (seq.tokenEnd - 1 - t), 0);
  }

  /// Looks at every sequence once, also at those that have no work. The last
  /// CTAs, which may have none either, begin.
  __device__ void checkSequences(int thread = threadIdx.x,
                                 int threads = blockDim.x) const {
    int cta = gridDim.x - 1 - blockIdx.x;
    for (int b = cta * threads + thread; b < p.seqs; b += gridDim.x * threads)
      checkSequence(b);
  }

  /// Where key `position` lies: in which of the sequence's pages, and where in
  /// that.
  __device__ int logicalPage(int position) const {
    return p.pageShift >= 0 ? position >> p.pageShift : position / p.pageSize;
  }
  __device__ int lineOf(int position) const {
    return p.pageShift >= 0 ? position & (p.pageSize - 1)
                            : position % p.pageSize;
  }

  /// Page that holds key `position` < capacity() of sequence `b`, as the table
  /// has it.
  __device__ int rawPage(int b, int position) const {
    return static_cast<int>(loadInt(p.pageTable, b, logicalPage(position)));
  }
  /// Whether a page of that number exists.
  __device__ bool isPage(int page) const {
#ifdef MLA_CUDA_UNCHECKED
    return true;
#else
    return page >= 0 && page < p.numPages;
#endif
  }
  /// The same, recorded if not.
  __device__ bool pageExists(int b, int position, int page) const {
    int64_t index =
        static_cast<int64_t>(b) * p.numPagesOfSeq + logicalPage(position);
    return !isOutside(p.fault, FaultSite::absorbed_attention_page_table, index,
                      page, p.numPages);
  }

  /// Writes what padding gets to the rows of the tokens [begin, end), all
  /// threads of all CTAs together.
  __device__ void writeNothing(int begin, int end, int thread = threadIdx.x,
                               int threads = blockDim.x) const {
    int64_t rows = static_cast<int64_t>(end - begin) * p.heads;
    int warps = threads / 32, warp = thread / 32, lane = thread % 32;
    for (int64_t row = static_cast<int64_t>(blockIdx.x) * warps + warp;
         row < rows; row += static_cast<int64_t>(gridDim.x) * warps) {
      int64_t t = begin + row / p.heads, h = row % p.heads;
      for (int i = lane; i < p.latentWidth; i += 32)
        storeElement(p.o.at(t, h, i), p.o.dtype, 0);
      if (p.hasLse && lane == 0)
        *reinterpret_cast<float *>(p.lse.at(t, h)) = minusInfinity();
    }
  }

  /// lse in units of log 2 with head `h`'s sink added, and in `factor` what the
  /// output is to be multiplied by.
  __device__ float addSink(int h, float lse, float &factor) const {
    factor = 1;
    if (!p.sinks)
      return lse;
    float sink = *reinterpret_cast<const float *>(p.sinks.at(h)) * log2e;
    float top = fmaxf(lse, sink);
    if (top == minusInfinity() || lse != lse)
      return lse;
    float total = top + log2f(exp2f(lse - top) + exp2f(sink - top));
    factor = exp2f(lse - total);
    return total;
  }

  __device__ void storeLse(int t, int h, float lse) const {
    if (p.hasLse)
      *reinterpret_cast<float *>(p.lse.at(t, h)) = lse * ln2;
  }

  /// Writes the columns `column`, which is even, and column + 1 of the output.
  __device__ void storeTwo(int t, int h, int column, float2 values) const {
    char *to = p.o.at(t, h, column);
    if (!p.storesVectors) {
      storeElement(to, p.o.dtype, values.x);
      storeElement(p.o.at(t, h, column + 1), p.o.dtype, values.y);
    } else if (p.o.dtype == MLA_DTYPE_F32) {
      *reinterpret_cast<float2 *>(to) = values;
    } else {
      *reinterpret_cast<uint32_t *>(to) = packOutput(values.x, values.y);
    }
  }

  /// Writes the columns [column, column + 4) that there are; `column` is a
  /// multiple of 4.
  __device__ void storeFour(int t, int h, int column, float4 values) const {
    if (p.storesVectors) {
      char *to = p.o.at(t, h, column);
      if (p.o.dtype == MLA_DTYPE_F32)
        *reinterpret_cast<float4 *>(to) = values;
      else
        *reinterpret_cast<uint2 *>(to) = make_uint2(
            packOutput(values.x, values.y), packOutput(values.z, values.w));
      return;
    }
    const float elements[] = {values.x, values.y, values.z, values.w};
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (column + i < p.latentWidth)
        storeElement(p.o.at(t, h, column + i), p.o.dtype, elements[i]);
  }

private:
  __device__ static int clampedBound(const Sequence &seq, int64_t bound) {
    return static_cast<int>(max(min(bound, int64_t(seq.length)), int64_t(0)));
  }

  /// Two columns of a 16-bit output.
  __device__ uint32_t packOutput(float low, float high) const {
    return p.o.dtype == MLA_DTYPE_F16 ? packPair<__half>(low, high)
                                      : packPair<__nv_bfloat16>(low, high);
  }

  const AbsorbedParams &p;
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_ABSORBEDCALL_H
