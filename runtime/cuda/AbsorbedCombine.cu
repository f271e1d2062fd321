//===- AbsorbedCombine.cu - Merges the partial states of split tiles ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A tile that is split has as many states as it has parts, its pieces. A unit
// of work is 128 columns of one or more rows of a tile's item: of few pieces
// each warp of a CTA has a row to itself; of many the warps share a row, each
// with some of its pieces, and their sums are added in the warps' order. The
// CTAs deal the units of all split tiles among themselves.
//
// Where there is little to merge it is latency that counts. Each CTA finds all
// tiles itself, a thread per part, so that the number of parts costs nothing;
// and a warp has its pieces' states under way before it asks for their weights.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedAttention.h"
#include "Launch.h"

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int numThreads = 256;
constexpr int numWarps = numThreads / 32;
constexpr int ctasEach = 2;      ///< On a multiprocessor.
constexpr int unitColumns = 128; ///< Of a warp: four of a lane.
constexpr int piecesAtOnce = 16; ///< States that a lane has under way.
constexpr int maxWords = (maxParts + numThreads) / 32;

/// What part j goes on with, where that is a tile that the part before began.
struct SplitItem {
  int unitsEnd; ///< Units of this and of all parts before.
  int pieces;
  int firstToken; ///< Of the sequence, or the token with indices.
  int rows;       ///< Of the item: of as many tiles as there are lanes.
};

/// Warps that share a row: each gets about eight pieces, of many pieces more.
__device__ int warpsOfRow(int pieces) {
  return pieces <= 8 ? 1 : pieces <= 16 ? 2 : pieces <= 32 ? 4 : numWarps;
}

class Combine {
public:
  __device__ Combine(const AbsorbedParams &p, char *shared)
      : p(p), call(p), split(call.split()), warp(threadIdx.x / 32),
        lane(threadIdx.x % 32), starts(reinterpret_cast<Cursor *>(shared)),
        items(reinterpret_cast<SplitItem *>(starts + p.shape.numCTAs + 1)),
        columnGroups((p.latentWidth + unitColumns - 1) / unitColumns) {}

  static size_t sharedBytes(int numCTAs) {
    return (numCTAs + 1) * sizeof(Cursor) + numCTAs * sizeof(SplitItem);
  }

  __device__ void run() {
    if (!loadStarts())
      return;
    int units = findItems();
    for (int unit = blockIdx.x; unit < units; unit += gridDim.x)
      merge(unit);
  }

private:
  __device__ bool loadStarts();
  __device__ int findItems();
  __device__ bool goesOn(int part) const;
  __device__ int piecesFrom(int part, const uint32_t *ends) const;
  __device__ SplitItem itemOf(int part) const;
  __device__ int unitsBefore(int thread, int own, int &all) const;
  __device__ void merge(int unit) const;
  __device__ void mergeRow(const float *first, int row, int pieces, int member,
                           int share, int column, float4 &sum, float &top,
                           float &total) const;
  __device__ void store(int firstToken, int64_t row, int column, float4 sum,
                        float top, float total) const;

  /// Piece `i` of the tile whose first one has its state at `first`.
  __device__ const float *piece(const float *first, int i) const {
    // The first piece is what its CTA left unfinished, in its second slot.
    int64_t slots = static_cast<int64_t>(2 * lanes) * i - (i > 0);
    return first + slots * slotFloats;
  }
  __device__ int tileRows() const { return p.shape.tileRows; }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  const Split split;
  const int warp, lane;
  Cursor *const starts;
  SplitItem *const items;
  const int columnGroups;
  int lanes, parts;
};

/// Reads where all parts start, as many as there can be, beside what tells how
/// many there are; false where there is nothing to merge.
__device__ bool Combine::loadStarts() {
  int own = min(static_cast<int>(threadIdx.x), p.shape.numCTAs);
  Cursor start = split.start(own);
  float queryScale, latentScale, peScale;
  bool usable = call.isUsable(queryScale, latentScale, peScale);
  starts[own] = start;
  for (int i = own + numThreads; i <= p.shape.numCTAs; i += numThreads)
    starts[i] = split.start(i);
  if (!usable)
    return false;
  lanes = split.lanes(), parts = split.parts();
  __syncthreads();
  return true;
}

/// Whether part `part` and the one before both begin within the same tile.
__device__ bool Combine::goesOn(int part) const {
  if (part == 0 || part >= parts)
    return false;
  Cursor start = starts[part], before = starts[part - 1];
  return start.block > 0 && before.block > 0 &&
         start.sequence == before.sequence && start.item == before.item;
}

/// Pieces of the tile that part `part` is the first to go on with; bit j of
/// `ends` says that part j doesn't go on with the tile of the part before.
__device__ int Combine::piecesFrom(int part, const uint32_t *ends) const {
  int word = part / 32;
  uint32_t bits = ends[word] & ~((2u << part % 32) - 1);
  while (bits == 0 && word < (parts - 1) / 32)
    bits = ends[++word];
  int end = bits ? word * 32 + __ffs(bits) - 1 : parts;
  return min(end, parts) - part + 1;
}

/// The item in which part `part` starts, if the part before has its first
/// block; else it has no rows.
__device__ SplitItem Combine::itemOf(int part) const {
  SplitItem none = {};
  if (part == 0 || part >= parts)
    return none;
  Cursor start = starts[part], tile{start.sequence, start.item, 0};
  if (start.block <= 0 || start.item < 0 || tile < starts[part - 1])
    return none;
  SplitItem item = {};
  int64_t rows = 0;
  if (p.hasIndices) {
    item.firstToken = tile.sequence;
    bool isReal = tile.sequence < call.realTokens() &&
                  call.sequenceOf(tile.sequence) >= 0;
    rows = isReal ? p.heads : 0;
  } else {
    if (tile.sequence < 0 || tile.sequence >= p.seqs)
      return none;
    Sequence seq = call.sequence(tile.sequence);
    // Of a length that was refused, or isn't the schedule's, the tile was whole
    // where it began, and the slots hold another's.
    if (start.block > (seq.length - 1) / blockKeys)
      return none;
    item.firstToken = seq.tokenBegin;
    rows = static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
  }
  int64_t each = static_cast<int64_t>(lanes) * tileRows();
  item.rows =
      static_cast<int>(max(min(rows - tile.item * each, each), int64_t(0)));
  return item;
}

/// The sum of `own` of the threads before this one; of `all` threads.
__device__ int Combine::unitsBefore(int thread, int own, int &all) const {
  __shared__ int sums[numWarps];
  int sum = own;
  for (int step = 1; step < 32; step *= 2) {
    int other = __shfl_up_sync(~0u, sum, step);
    sum += lane >= step ? other : 0;
  }
  if (lane == 31)
    sums[warp] = sum;
  __syncthreads();
  int before = sum - own;
  all = 0;
#pragma unroll
  for (int i = 0; i < numWarps; ++i) {
    before += i < warp ? sums[i] : 0;
    all += sums[i];
  }
  __syncthreads();
  return before;
}

/// Fills `items`; how many units they have.
__device__ int Combine::findItems() {
  __shared__ uint32_t ends[maxWords];
  int thread = threadIdx.x;
  for (int part = thread; part - thread < parts; part += numThreads) {
    uint32_t bits = __ballot_sync(~0u, !goesOn(part));
    if (lane == 0)
      ends[part / 32] = bits;
  }
  __syncthreads();
  int units = 0;
  for (int part = thread; part - thread < parts; part += numThreads) {
    SplitItem item = itemOf(part);
    int own = 0, all;
    if (item.rows > 0) {
      item.pieces = piecesFrom(part, ends);
      int share = warpsOfRow(item.pieces);
      own = (item.rows * share + numWarps - 1) / numWarps * columnGroups;
    }
    item.unitsEnd = units + unitsBefore(thread, own, all) + own;
    if (part < parts)
      items[part] = item;
    units += all;
  }
  __syncthreads();
  return units;
}

/// Of row `row` of a tile with so many pieces, the first at `first`: the sum of
/// the pieces member, member + share, ... times their weights, four columns a
/// lane, and the sum of the weights. They are relative to `top`, the largest
/// lse of all pieces.
__device__ void Combine::mergeRow(const float *first, int row, int pieces,
                                  int member, int share, int column,
                                  float4 &sum, float &top, float &total) const {
  int count = (pieces - member + share - 1) / share;
  const float *states = first + row * maxSlotColumns + column;
  const float *lses = first + maxTileRows * maxSlotColumns + row;
  float4 values[piecesAtOnce];
  auto load = [&](int begin) {
#pragma unroll
    for (int k = 0; k < piecesAtOnce; ++k)
      if (begin + k < count)
        values[k] = *reinterpret_cast<const float4 *>(
            piece(states, member + (begin + k) * share));
  };
  load(0);
  for (int i = lane; i < pieces; i += 32)
    top = fmaxf(top, *piece(lses, i));
  for (int step = 16; step > 0; step /= 2)
    top = fmaxf(top, __shfl_xor_sync(~0u, top, step));
  for (int begin = 0; begin < count; begin += 32) {
    int i = member + (begin + lane) * share;
    float lse = i < pieces ? *piece(lses, i) : minusInfinity();
    float weight = lse == minusInfinity() ? 0 : exp2f(lse - top);
    total += weight;
#pragma unroll
    for (int k = 0; k < 32; k += piecesAtOnce) {
      if (begin + k >= count)
        break;
      if (begin + k > 0)
        load(begin + k);
#pragma unroll
      for (int j = 0; j < piecesAtOnce; ++j) {
        float factor = __shfl_sync(~0u, weight, k + j);
        // Of a piece without a weight nothing is added, whatever it holds.
        if (begin + k + j < count && factor != 0) {
          sum.x += factor * values[j].x;
          sum.y += factor * values[j].y;
          sum.z += factor * values[j].z;
          sum.w += factor * values[j].w;
        }
      }
    }
  }
  for (int step = 16; step > 0; step /= 2)
    total += __shfl_xor_sync(~0u, total, step);
}

/// Writes four columns of row `row` of a sequence, or of a token.
__device__ void Combine::store(int firstToken, int64_t row, int column,
                               float4 sum, float top, float total) const {
  int t = firstToken + static_cast<int>(row / p.heads);
  int h = static_cast<int>(row % p.heads);
  float factor;
  float lse = call.addSink(h, total != 0 ? top + log2f(total) : minusInfinity(),
                           factor);
  factor *= total != 0 ? 1 / total : 0;
  if (column == 0)
    call.storeLse(t, h, lse);
  if (column < p.latentWidth)
    call.storeFour(
        t, h, column,
        {sum.x * factor, sum.y * factor, sum.z * factor, sum.w * factor});
}

__device__ void Combine::merge(int unit) const {
  __shared__ float4 sums[numWarps][32];
  __shared__ float totals[numWarps];
  int part = 0; // The first up to which there are more units.
  for (int high = parts - 1; part < high;) {
    int middle = (part + high) / 2;
    if (items[middle].unitsEnd > unit)
      high = middle;
    else
      part = middle + 1;
  }
  SplitItem item = items[part];
  int place = unit - (part > 0 ? items[part - 1].unitsEnd : 0);
  int share = warpsOfRow(item.pieces), member = warp % share;
  int row = place / columnGroups * (numWarps / share) + warp / share;
  int column = place % columnGroups * unitColumns + lane * 4;
  float4 sum = {0, 0, 0, 0};
  float top = minusInfinity(), total = 0;
  if (row < item.rows) {
    int64_t cta = static_cast<int64_t>(part - 1) * lanes + row / tileRows();
    mergeRow(p.slots + (2 * cta + 1) * slotFloats, row % tileRows(),
             item.pieces, member, share, column, sum, top, total);
  }
  if (share > 1) {
    sums[warp][lane] = sum;
    totals[warp] = total;
    __syncthreads();
    for (int i = 1; i < share && member == 0; ++i) {
      float4 other = sums[warp + i][lane];
      sum.x += other.x, sum.y += other.y, sum.z += other.z, sum.w += other.w;
      total += totals[warp + i];
    }
    __syncthreads(); // the next unit's sums come to the same place
  }
  int64_t before = static_cast<int64_t>(starts[part].item) * lanes * tileRows();
  if (row < item.rows && member == 0)
    store(item.firstToken, before + row, column, sum, top, total);
}

__global__ void __launch_bounds__(numThreads, ctasEach)
    combineKernel(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(16) char shared[];
  waitForStream();
  Combine(p, shared).run();
}

} // namespace

mla_status mla::cuda::launchAbsorbedCombine(mla_context &ctx,
                                            const AbsorbedParams &params) {
  int64_t columnGroups = ceilDiv(params.latentWidth, unitColumns);
  // Not more CTAs than there can be units.
  int64_t units = static_cast<int64_t>(params.tokens) * params.heads *
                  std::max<int64_t>(columnGroups, 1);
  auto grid = static_cast<unsigned>(
      std::min<int64_t>(ctasEach * params.shape.numCTAs, units));
  return launchEarly(ctx, "absorbed_attention", combineKernel, grid, numThreads,
                     Combine::sharedBytes(params.shape.numCTAs), params);
}

cudaError_t mla::cuda::loadAbsorbedCombine() {
  return loadKernels(combineKernel);
}
