//===- CopyRows.cu - Rows moved by a GPU and nothing else -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block takes tiles of one transfer's items. Neighbouring lanes take
// neighbouring units of a row, and of the next rows where rows are short. All
// of a thread's loads are under way before its first store waits for one.
//
//===----------------------------------------------------------------------===//

#include "CopyRows.h"

#include <climits>

using namespace mla::bench;

namespace {

constexpr int threads = 128;

/// Whether a unit is `never`, which random data aren't but for a chance: that
/// somebody asks is what keeps a load that nothing is made of.
__device__ bool is(const uint4 &unit, uint32_t never) {
  return unit.x == never && unit.y == never && (unit.z ^ unit.w) == never;
}
__device__ bool is(const uint2 &unit, uint32_t never) {
  return unit.x == never && unit.y == never;
}
__device__ bool is(uint32_t unit, uint32_t never) { return unit == never; }

__device__ uint32_t quotient(uint32_t number, const Divider &divider) {
  return (__umulhi(number, divider.factor) + number) >> divider.shift;
}

/// Where the token `place` begins.
template <typename Unit, typename Byte>
__device__ Unit *at(Byte *base, int64_t place, int32_t tokenBytes,
                    int32_t within) {
  return reinterpret_cast<Unit *>(base + place * tokenBytes + within);
}

template <typename Unit, int unrolled, bool once>
__device__ void moveTile(const CopyPart &part, uint32_t tile, uint32_t *sink,
                         uint32_t never) {
  uint32_t first = tile * (threads * unrolled) + threadIdx.x;
  int64_t fromPlace[unrolled], toPlace[unrolled];
  int32_t fromWithin[unrolled], toWithin[unrolled];
  bool reads[unrolled], writes[unrolled];
  Unit units[unrolled];
#pragma unroll
  for (int i = 0; i < unrolled; ++i) {
    // Beyond the end the last item is moved once more: no branches.
    uint32_t item = min(first + i * threads, part.count - 1);
    uint32_t line = quotient(item, part.byItems);
    uint32_t token = quotient(line, part.byRows);
    auto row = static_cast<int32_t>(line - token * part.rows);
    uint32_t unit = item - line * part.items;
    auto bytes = static_cast<int32_t>(unit * sizeof(Unit));
    reads[i] = unit < part.reads;
    writes[i] = unit < part.writes;
    fromWithin[i] = row * part.fromRow + bytes;
    toWithin[i] = row * part.toRow + bytes;
    fromPlace[i] = toPlace[i] = token;
    if (part.fromIndex)
      fromPlace[i] = __ldg(part.fromIndex + token);
    if (part.toIndex)
      toPlace[i] = __ldg(part.toIndex + token);
  }
#pragma unroll
  for (int i = 0; i < unrolled; ++i) {
    units[i] = {};
    if (reads[i]) {
      const Unit *from = at<const Unit>(part.from, fromPlace[i], part.fromToken,
                                        fromWithin[i]);
      units[i] = once ? __ldcs(from) : *from;
    }
  }
#pragma unroll
  for (int i = 0; i < unrolled; ++i)
    if (writes[i])
      *at<Unit>(part.to, toPlace[i], part.toToken, toWithin[i]) = units[i];
    else if (is(units[i], never))
      *sink = 1;
}

template <int unrolled, bool once>
__global__ void __launch_bounds__(threads)
    moveRows(const __grid_constant__ CopyRows rows, uint32_t never) {
  // As the runtime's kernels do, which start early too.
#if __CUDA_ARCH__ >= 900
  cudaGridDependencySynchronize();
  cudaTriggerProgrammaticLaunchCompletion();
#endif
  for (uint32_t tile = blockIdx.x; tile < rows.tiles; tile += gridDim.x) {
    int number = 0;
#pragma unroll
    for (int i = 1; i < CopyRows::maxParts; ++i)
      number += tile >= rows.firstTiles[i];
    const CopyPart &part = rows.parts[number];
    uint32_t own = tile - rows.firstTiles[number];
    if (part.unit == 16)
      moveTile<uint4, unrolled, once>(part, own, rows.sink, never);
    else if (part.unit == 8)
      moveTile<uint2, unrolled, once>(part, own, rows.sink, never);
    else if (part.unit == 4)
      moveTile<uint32_t, unrolled, once>(part, own, rows.sink, never);
    else
      moveTile<uint8_t, unrolled, once>(part, own, rows.sink, never);
  }
}

/// One way to move the rows.
struct Kernel {
  void (*function)(CopyRows, uint32_t);
  uint32_t unrolled;
  bool stays; ///< No more blocks than run at once, which take tiles in turn.
};

const Kernel kernelTable[CopyRows::numKernels] = {
    {moveRows<1, false>, 1, false}, {moveRows<2, false>, 2, false},
    {moveRows<4, false>, 4, false}, {moveRows<4, true>, 4, false},
    {moveRows<4, true>, 4, true},   {moveRows<8, true>, 8, true},
};

/// The largest of 16, 8, 4 and 1 that divides all.
uint32_t unitOf(const Transfer &t) {
  uint64_t all = 0;
  auto add = [&](const void *base, int64_t token, int64_t row, int64_t bytes) {
    if (base)
      all |= reinterpret_cast<uintptr_t>(base) |
             static_cast<uint64_t>(token | bytes | (t.rows > 1 ? row : 0));
  };
  add(t.from, t.fromToken, t.fromRow, t.readBytes);
  add(t.to, t.toToken, t.toRow, t.writeBytes);
  for (uint32_t unit : {16u, 8u, 4u})
    if (all % unit == 0)
      return unit;
  return 1;
}

bool fits(int64_t number) { return number >= INT32_MIN && number <= INT32_MAX; }

} // namespace

bool CopyRows::set(const std::vector<Transfer> &transfers, uint32_t *newSink) {
  sink = newSink;
  numParts = 0;
  for (const Transfer &t : transfers) {
    if (t.tokens <= 0 || t.rows <= 0 || !(t.from || t.to))
      continue;
    if (numParts == maxParts || !fits(t.fromToken) || !fits(t.fromRow) ||
        !fits(t.toToken) || !fits(t.toRow) || !fits(t.readBytes) ||
        !fits(t.writeBytes) || !fits(t.tokens) || !fits(t.rows) ||
        !fits(t.rows * t.fromRow + t.readBytes) ||
        !fits(t.rows * t.toRow + t.writeBytes))
      return false;
    CopyPart &part = parts[numParts++];
    part = {};
    part.unit = unitOf(t);
    part.from = static_cast<const char *>(t.from);
    part.to = static_cast<char *>(t.to);
    part.fromIndex = t.fromIndex;
    part.toIndex = t.toIndex;
    part.fromToken = static_cast<int32_t>(t.fromToken);
    part.fromRow = static_cast<int32_t>(t.fromRow);
    part.toToken = static_cast<int32_t>(t.toToken);
    part.toRow = static_cast<int32_t>(t.toRow);
    part.reads = t.from ? static_cast<uint32_t>(t.readBytes) / part.unit : 0;
    part.writes = t.to ? static_cast<uint32_t>(t.writeBytes) / part.unit : 0;
    part.items = part.reads > part.writes ? part.reads : part.writes;
    part.rows = static_cast<uint32_t>(t.rows);
    int64_t count = 0;
    if (__builtin_mul_overflow(t.tokens * t.rows, int64_t{part.items},
                               &count) ||
        !fits(count))
      return false;
    if (count == 0) {
      --numParts;
      continue;
    }
    part.count = static_cast<uint32_t>(count);
    part.byItems = Divider(part.items);
    part.byRows = Divider(part.rows);
  }
  return numParts > 0;
}

/// Gives every part its tiles and returns how many there are.
uint32_t CopyRows::split(uint32_t tileItems) {
  tiles = 0;
  for (int i = 0; i < maxParts; ++i) {
    firstTiles[i] = i < numParts ? tiles : UINT32_MAX;
    if (i < numParts)
      tiles += (parts[i].count + tileItems - 1) / tileItems;
  }
  return tiles;
}

int CopyRows::kernels(int sms) const {
  int count = 0;
  for (const Kernel &kernel : kernelTable) {
    CopyRows copy = *this;
    if (count &&
        copy.split(threads * kernel.unrolled) < 2 * static_cast<uint32_t>(sms))
      break;
    ++count;
  }
  return count;
}

cudaError_t CopyRows::launch(int kernel, int sms, cudaStream_t stream) const {
  const Kernel &chosen = kernelTable[kernel];
  CopyRows copy = *this;
  uint32_t blocks = copy.split(threads * chosen.unrolled);
  if (chosen.stays) {
    int resident = 0;
    if (cudaError_t error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &resident, chosen.function, threads, 0))
      return error;
    auto most = static_cast<uint32_t>(resident * sms);
    blocks = blocks < most ? blocks : most;
  }
  int device = 0, major = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess)
    error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor,
                                   device);
  if (error != cudaSuccess)
    return error;
  cudaLaunchAttribute early = {};
  early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  early.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.stream = stream;
  config.attrs = &early;
  config.numAttrs = major == 9 ? 1 : 0;
  return cudaLaunchKernelEx(&config, chosen.function, copy, 0x5bd1e995u);
}
