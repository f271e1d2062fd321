//===- slot_mapping.cu - Where each token goes, on CUDA -------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Thread i serves token i, and sequence i too: the token's thread writes what
// belongs to the token, the sequence's its length and its faults.
//
//===----------------------------------------------------------------------===//

#include "Fault.h"
#include "Kernels.h"
#include "Launch.h"
#include "Tensor.h"

#include <algorithm>

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int threads = 256;

/// Which positions a context-parallel rank owns: position p belongs to rank
/// (p / interleave) % size, where it is key number
/// p / (interleave * size) * interleave + p % interleave.
struct Ownership {
  int64_t rank, size, interleave;
  int64_t group; ///< Positions of one turn of all ranks.

  explicit Ownership(const mla_slot_mapping_params &params)
      : rank(params.cp_rank), size(std::max<int64_t>(params.cp_size, 1)),
        interleave(std::max<int64_t>(params.cp_interleave, 1)),
        group(size * interleave) {}

  __device__ bool owns(int64_t position) const {
    return size == 1 || position / interleave % size == rank;
  }

  __device__ int64_t localIndex(int64_t position) const {
    if (size == 1)
      return position;
    return position / group * interleave + position % interleave;
  }

  /// How many of the positions below `bound` the rank owns.
  __device__ int64_t countBelow(int64_t bound) const {
    if (size == 1)
      return bound;
    int64_t rest = bound % group - rank * interleave;
    rest = rest < 0 ? 0 : rest < interleave ? rest : interleave;
    return bound / group * interleave + rest;
  }

  /// Positions below which the rank owns `keys` < 2^31, and no more.
  __device__ int64_t mostPositions(int64_t keys) const {
    if (size == 1)
      return keys;
    return keys / interleave * group + rank * interleave + keys % interleave;
  }
};

struct SlotMapping {
  Tensor<1> kvLens, cuQ;
  Tensor<2> pageTable;
  Tensor<1> positions, slots, localLens, bounds;
  Ownership ownership;
  int64_t numSeqs, tokens;
  int64_t pageSize;
  int64_t capacity; ///< Keys that a row of the page table reaches.
  FaultRecord *fault;

  __device__ int64_t offset(int64_t b) const { return loadInt(cuQ, b); }

  /// Whether the offsets of sequence `b` make a range of tokens.
  __device__ bool isRange(int64_t begin, int64_t end) const {
    return begin >= 0 && begin <= end && end <= tokens;
  }

  /// Whether a sequence holds its new tokens, and its rank's share fits its
  /// pages.
  __device__ bool isUsable(int64_t length, int64_t newTokens) const {
    return length >= newTokens && ownership.countBelow(length) <= capacity;
  }

  /// The sequence that token `t` belongs to; -1 for padding. A search by halves
  /// where the offsets ascend; where they don't, the sequences that are all
  /// right must be found nonetheless.
  __device__ int64_t sequenceOf(int64_t t, bool ascending) const {
    if (!ascending) {
      int64_t b = numSeqs - 1;
      while (b >= 0 && !(offset(b) <= t && t < offset(b + 1) &&
                         isRange(offset(b), offset(b + 1))))
        --b;
      return b;
    }
    // The first offset beyond t is that of the sequence behind.
    int64_t low = 0, high = numSeqs + 1;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (offset(middle) > t)
        high = middle;
      else
        low = middle + 1;
    }
    return low <= numSeqs ? low - 1 : -1;
  }

  __device__ void serveToken(int64_t t, bool ascending) const {
    // What padding gets, and tokens of unusable sequences too.
    int64_t position = 0, slot = -1, bound = 0;
    int64_t b = sequenceOf(t, ascending);
    if (b >= 0) {
      int64_t begin = offset(b), end = offset(b + 1);
      int64_t length = loadInt(kvLens, b);
      if (isRange(begin, end) && isUsable(length, end - begin)) {
        position = length - (end - t);
        bound = ownership.countBelow(position + 1);
        if (ownership.owns(position))
          slot = findSlot(b, ownership.localIndex(position));
      }
    }
    storeInt(positions, t, position);
    storeInt(slots, t, slot);
    if (bounds)
      storeInt(bounds, t, bound);
  }

  /// The cache row of the sequence's key number `local` < capacity; -1, with
  /// the fault recorded, where its page can't be one.
  __device__ int64_t findSlot(int64_t b, int64_t local) const {
    // Both are below 2^31.
    uint32_t size = static_cast<uint32_t>(pageSize);
    uint32_t logical = static_cast<uint32_t>(local) / size;
    uint32_t line = static_cast<uint32_t>(local) % size;
    int64_t page = loadInt(pageTable, b, logical);
    if (page < 0 &&
        isOutside(fault, FaultSite::slot_mapping_page_table,
                  b * pageTable.shape[1] + logical, page, INT32_MAX))
      return -1;
    return page * pageSize + line;
  }

  __device__ void serveSequence(int64_t b) const {
    const FaultSite site = FaultSite::slot_mapping_cu_q;
    int64_t begin = offset(b), end = offset(b + 1);
    if (b == 0)
      isOutside(fault, site, 0, begin, 1);
    bool bad = isOutside(fault, site, b, begin, tokens + 1);
    if (!bad && !isRange(begin, end)) {
      recordFault(fault, site, b + 1, end, tokens + 1, begin);
      bad = true;
    }
    if (bad)
      begin = end = 0;
    int64_t length = loadInt(kvLens, b);
    bool usable = isUsable(length, end - begin);
    if (!usable)
      recordFault(fault, FaultSite::slot_mapping_kv_lens, b, length,
                  ownership.mostPositions(capacity) + 1, end - begin);
    if (localLens)
      storeInt(localLens, b, usable ? ownership.countBelow(length) : 0);
  }
};

__global__ void __launch_bounds__(threads) mapSlots(SlotMapping mapping) {
  waitForStream();
  bool ascends = true;
  for (int64_t b = threadIdx.x; b < mapping.numSeqs; b += threads)
    ascends &= mapping.offset(b) <= mapping.offset(b + 1);
  bool ascending = __syncthreads_and(ascends);
  int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i < mapping.tokens)
    mapping.serveToken(i, ascending);
  if (i < mapping.numSeqs)
    mapping.serveSequence(i);
}

} // namespace

cudaError_t mla::cuda::load_slot_mapping(const State &) {
  return loadKernels(mapSlots);
}

mla_status mla::cuda::slot_mapping(mla_context &ctx,
                                   const mla_slot_mapping_params &params) {
  int64_t capacity = std::min<int64_t>(
      params.page_table->shape[1] * params.page_size, INT32_MAX);
  SlotMapping mapping{Tensor<1>(params.kv_lens),
                      Tensor<1>(params.cu_q),
                      Tensor<2>(params.page_table),
                      Tensor<1>(params.positions),
                      Tensor<1>(params.slots),
                      Tensor<1>(params.local_kv_lens),
                      Tensor<1>(params.kv_bounds),
                      Ownership(params),
                      params.kv_lens->shape[0],
                      params.positions->shape[0],
                      params.page_size,
                      capacity,
                      stateOf(ctx).fault};
  int64_t served = std::max(mapping.numSeqs, mapping.tokens);
  if (served == 0)
    return MLA_STATUS_OK;
  dim3 grid(static_cast<unsigned>(ceilDiv(served, threads)));
  return launchEarly(ctx, "slot_mapping", mapSlots, grid, threads, 0, mapping);
}
