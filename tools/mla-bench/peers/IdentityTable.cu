//===- IdentityTable.cu - One kernel that always rotates ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What engines have that fuse the steps of mla_append but know no model without
// a rope: such a model gets a table of cosines 1 and sines 0, a row a position.
//
//===----------------------------------------------------------------------===//

#include "IdentityTable.h"

#include "CacheRow.h"

using namespace mla::bench;
using namespace mla::bench::peers;

namespace {

/// Rows of the table that a call without a rope gets, one a token.
__global__ void __launch_bounds__(blockThreads)
    fillIdentity(float *table, int64_t *positions, int64_t tokens, int width) {
  int64_t at = static_cast<int64_t>(blockIdx.x) * blockThreads + threadIdx.x;
  if (at < tokens)
    positions[at] = at;
  if (at < tokens * width)
    table[at] = at % width < width / 2 ? 1.0f : 0.0f;
}

template <typename T, int style>
__device__ void writeKey(const AppendCall &call, const RowGrid &grid,
                         int64_t token, int unit) {
  int latents = call.latent / packetColumns;
  int turns = call.kPe ? turnsOf(style, call.pe) : 0;
  // Without a cache there are no latents either.
  bool isCached = false;
  int64_t page = 0, line = 0;
  if (call.cacheLatent) {
    CacheRow row(call, token);
    isCached = row.present;
    page = row.page, line = row.line;
    if (isCached)
      for (; unit < latents; unit += grid.width)
        row.storeLatent<T>(call, token, unit);
  }
  if (unit < latents)
    unit += (latents - unit + grid.width - 1) / grid.width * grid.width;
  const char *angles = call.table.at(call.positions.at(token));
  for (; unit < latents + turns; unit += grid.width) {
    Turn<T, style> turn(call.kPe.at(token), angles, unit - latents, call.pe);
    if (call.kPeOut)
      turn.store(call.kPeOut.at(token));
    if (!isCached)
      continue;
    if (call.format != RowFormat::Fp8) {
      turn.store(call.cachePe.at(page, line));
      continue;
    }
    if (call.through)
      turn.round();
    turn.quantize(call.cachePe.at(page, line), 1.0f / *call.peScale);
  }
}

template <typename T, int style>
__device__ void writeHead(const AppendCall &call, const RowGrid &grid,
                          int64_t token, int head, int unit) {
  int nopes = call.nope / packetColumns;
  int turns = call.qPe ? turnsOf(style, call.pe) : 0;
  float factor = call.fp8Query ? 1.0f / *call.queryScale : 1.0f;
  for (; unit < nopes; unit += grid.width) {
    uint4 bits = loadPacket(call.qNope.at(token, head), unit);
    char *to = call.query.at(token, head);
    if (call.fp8Query)
      quantizePacket<T>(to, unit, bits, factor);
    else
      storePacket(to, unit, bits);
  }
  const char *angles = call.table.at(call.positions.at(token));
  for (; unit < nopes + turns; unit += grid.width) {
    Turn<T, style> turn(call.qPe.at(token, head), angles, unit - nopes,
                        call.pe);
    char *to = call.queryPe.at(token, head);
    if (call.fp8Query && call.through)
      turn.round();
    if (call.fp8Query)
      turn.quantize(to, factor);
    else
      turn.store(to);
  }
}

/// The first blocks write keys, the others heads of queries.
template <typename T, int style>
__global__ void __launch_bounds__(blockThreads)
    appendRotated(AppendCall call, RowGrid keys, RowGrid heads) {
  int64_t row;
  int unit;
  if (blockIdx.x < keys.blocks) {
    if (keys.find(blockIdx.x, row, unit))
      writeKey<T, style>(call, keys, row, unit);
  } else if (heads.find(blockIdx.x - keys.blocks, row, unit)) {
    auto token = static_cast<int>(row) / call.heads;
    writeHead<T, style>(call, heads, token,
                        static_cast<int>(row) - token * call.heads, unit);
  }
}

/// A call in which everything rotates, by the table in `scratch` if it has none
/// of its own.
struct Rotated {
  AppendCall call;
  bool hasQuery, hasKey;

  Rotated(const mla_append_params &params, void *scratch)
      : call(*AppendCall::read(params)) {
    if (!call.rotates()) {
      call.style = MLA_ROPE_INTERLEAVED;
      call.table = {static_cast<char *>(scratch), tableRow(), 0};
      call.positions = {static_cast<char *>(scratch) + tableBytes(),
                        sizeof(int64_t), true};
    }
    // In place, unless that would be to rotate quantized values.
    if (call.query && !call.qPe && !call.fp8Query)
      call.qPe = call.queryPe;
    hasQuery = call.query && (call.qNope || call.qPe);
    hasKey = call.cacheLatent || (call.kPe && call.kPeOut);
  }

  int64_t tableRow() const {
    return call.pe * static_cast<int64_t>(sizeof(float));
  }
  int64_t tableBytes() const { return call.tokens * tableRow(); }
  bool isEmpty() const { return call.tokens == 0 || !(hasQuery || hasKey); }

  template <typename T> cudaError_t run(cudaStream_t stream) const {
    if (isEmpty())
      return cudaSuccess;
    int keyUnits = call.latent / packetColumns + turnsOf(call.style, call.pe);
    int headUnits = call.nope / packetColumns + turnsOf(call.style, call.pe);
    RowGrid keys(hasKey ? call.tokens : 0, keyUnits, threadMultiple(call));
    RowGrid heads(hasQuery ? call.tokens * call.heads : 0, headUnits);
    auto kernel = call.style == MLA_ROPE_HALF
                      ? appendRotated<T, MLA_ROPE_HALF>
                      : appendRotated<T, MLA_ROPE_INTERLEAVED>;
    kernel<<<keys.blocks + heads.blocks, blockThreads, 0, stream>>>(call, keys,
                                                                    heads);
    return cudaGetLastError();
  }
};

/// Without a positional part there is nothing to rotate by nothing.
bool takes(const mla_append_params &params) {
  std::optional<AppendCall> call = AppendCall::read(params);
  return call && call->pe > 0;
}

uint64_t scratchBytes(const mla_append_params &params) {
  if (params.rope_style != MLA_ROPE_NONE)
    return 0;
  Rotated rotated(params, nullptr);
  return static_cast<uint64_t>(rotated.tableBytes()) +
         static_cast<uint64_t>(rotated.call.tokens) * sizeof(int64_t);
}

template <typename T> cudaError_t load() {
  return loadKernels(appendRotated<T, MLA_ROPE_INTERLEAVED>,
                     appendRotated<T, MLA_ROPE_HALF>);
}

cudaError_t prepare(const mla_append_params &params, void *scratch,
                    cudaStream_t stream) {
  Rotated rotated(params, scratch);
  cudaError_t error = rotated.call.dtype == MLA_DTYPE_F16
                          ? load<__half>()
                          : load<__nv_bfloat16>();
  int64_t tokens = rotated.call.tokens, width = rotated.call.pe;
  if (error || params.rope_style != MLA_ROPE_NONE || tokens == 0)
    return error;
  auto *table = static_cast<float *>(scratch);
  auto *positions = reinterpret_cast<int64_t *>(static_cast<char *>(scratch) +
                                                rotated.tableBytes());
  auto blocks =
      static_cast<unsigned>((tokens * width + blockThreads - 1) / blockThreads);
  fillIdentity<<<blocks, blockThreads, 0, stream>>>(table, positions, tokens,
                                                    static_cast<int>(width));
  return cudaGetLastError();
}

cudaError_t run(const mla_append_params &params, void *scratch,
                cudaStream_t stream) {
  Rotated rotated(params, scratch);
  return rotated.call.dtype == MLA_DTYPE_F16
             ? rotated.run<__half>(stream)
             : rotated.run<__nv_bfloat16>(stream);
}

int launches(const mla_append_params &params) {
  return Rotated(params, nullptr).isEmpty() ? 0 : 1;
}

} // namespace

AppendPeer peers::identityTable() {
  return {"identity_table",
          "One fused kernel that always rotates: without a rope it reads "
          "cosines of 1 and sines of 0 and streams q_pe and k_pe through them, "
          "which keeps all but the sign of a zero, infinities and NaNs.",
          takes,
          scratchBytes,
          prepare,
          run,
          launches};
}
