//===- FiveLaunches.cu - A kernel for each step of mla_append -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Engines rotate q_pe and k_pe where they are; here they are inputs, and the
// rotated ones go to scratch. As much is moved.
//
//===----------------------------------------------------------------------===//

#include "FiveLaunches.h"

#include "CacheRow.h"

using namespace mla::bench;
using namespace mla::bench::peers;

namespace {

//===--- Kernels ----------------------------------------------------------===//

/// Rotates `rowsOfToken` rows of every token; `to` may be `from`.
template <typename T, int style>
__global__ void __launch_bounds__(blockThreads)
    rotate(RowGrid grid, Rows from, Rows to, int rowsOfToken, int width,
           Rows table, Integers positions) {
  int64_t token;
  int unit;
  if (!grid.find(blockIdx.x, token, unit))
    return;
  const char *angles = table.at(positions.at(token));
  int turns = turnsOf(style, width);
  for (; unit < rowsOfToken * turns; unit += grid.width) {
    int row = unit / turns;
    Turn<T, style> turn(from.at(token, row), angles, unit - row * turns, width);
    turn.store(to.at(token, row));
  }
}

/// Two parts of a row, side by side, to where they belong. Parts are in
/// packets; one may have none.
struct Parts {
  Rows from[2], to[2];
  int packets[2];
};

__global__ void __launch_bounds__(blockThreads)
    concatenate(RowGrid grid, Parts parts, int rowsOfToken) {
  int64_t row;
  int unit;
  if (!grid.find(blockIdx.x, row, unit))
    return;
  auto token = static_cast<int>(row) / rowsOfToken;
  int head = static_cast<int>(row) - token * rowsOfToken;
  for (; unit < parts.packets[0] + parts.packets[1]; unit += grid.width) {
    bool isSecond = unit >= parts.packets[0];
    int packet = isSecond ? unit - parts.packets[0] : unit;
    const Rows &from = isSecond ? parts.from[1] : parts.from[0];
    const Rows &to = isSecond ? parts.to[1] : parts.to[0];
    storePacket(to.at(token, head), packet,
                loadPacket(from.at(token, head), packet));
  }
}

template <typename T>
__global__ void __launch_bounds__(blockThreads)
    quantize(RowGrid grid, Rows from, Rows to, int rowsOfToken, int packets,
             const float *scale) {
  int64_t row;
  int unit;
  if (!grid.find(blockIdx.x, row, unit))
    return;
  auto token = static_cast<int>(row) / rowsOfToken;
  int head = static_cast<int>(row) - token * rowsOfToken;
  float factor = 1.0f / *scale;
  for (; unit < packets; unit += grid.width)
    quantizePacket<T>(to.at(token, head), unit,
                      loadPacket(from.at(token, head), unit), factor);
}

/// Writes [c_kv | k_pe] to the cache, in its format.
template <typename T>
__global__ void __launch_bounds__(blockThreads)
    writeCache(RowGrid grid, AppendCall call, Rows kPe) {
  int64_t token;
  int unit;
  if (!grid.find(blockIdx.x, token, unit))
    return;
  CacheRow row(call, token);
  if (!row.present)
    return;
  int latents = call.latent / packetColumns, pes = call.pe / packetColumns;
  for (; unit < latents + pes; unit += grid.width) {
    if (unit < latents) {
      row.storeLatent<T>(call, token, unit);
      continue;
    }
    uint4 bits = loadPacket(kPe.at(token), unit - latents);
    char *to = call.cachePe.at(row.page, row.line);
    if (call.format == RowFormat::Fp8)
      quantizePacket<T>(to, unit - latents, bits, 1.0f / *call.peScale);
    else
      storePacket(to, unit - latents, bits);
  }
}

//===--- Which of them a call needs ---------------------------------------===//

constexpr int elementBytes = 2;

struct Chain {
  AppendCall call;
  uint64_t scratchBytes = 0;
  bool rotatesQuery = false, rotatesKey = false, copiesKey = false;
  bool concatenates = false, quantizes = false, writesCache = false;
  Rows rotatedQuery, rotatedKey; ///< The inputs where nothing rotates.
  Rows assembled;                ///< The query before it is quantized.

  Chain(const mla_append_params &params, void *scratch)
      : call(*AppendCall::read(params)), memory(static_cast<char *>(scratch)) {
    chooseRotations();
    bool hasNope = call.query && call.qNope, hasPe = call.query && call.qPe;
    quantizes = call.fp8Query && (hasNope || hasPe);
    // A lone part is quantized from where it is.
    concatenates = call.fp8Query ? hasNope && hasPe : hasNope || hasPe;
    if (concatenates && quantizes)
      assembled = take(call.heads, call.nope + call.pe);
    writesCache = static_cast<bool>(call.cacheLatent);
  }

  bool isEmpty() const { return call.tokens == 0; }
  int launches() const {
    return isEmpty() ? 0
                     : rotatesQuery + (rotatesKey || copiesKey) + concatenates +
                           quantizes + writesCache;
  }
  template <typename T> cudaError_t run(cudaStream_t stream) const;

private:
  void chooseRotations() {
    rotatedQuery = call.qPe;
    rotatedKey = call.kPe;
    if (call.rotates() && call.query && call.pe > 0) {
      rotatesQuery = true;
      rotatedQuery = call.qPe ? take(call.heads, call.pe) : call.queryPe;
    }
    bool needsKey = call.kPe && (call.kPeOut || call.cachePe);
    rotatesKey = needsKey && call.rotates();
    copiesKey = needsKey && !call.rotates() && call.kPeOut;
    if (rotatesKey)
      rotatedKey = call.kPeOut ? call.kPeOut : take(1, call.pe);
  }

  /// Scratch for `rows` rows a token.
  Rows take(int64_t rows, int64_t width) {
    int64_t inner = width * elementBytes;
    Rows result = {memory + scratchBytes, rows * inner, inner};
    auto bytes = static_cast<uint64_t>(call.tokens * result.outer);
    scratchBytes += (bytes + 255) / 256 * 256;
    return result;
  }

  template <typename T>
  void enqueueRotation(const Rows &from, const Rows &to, int rows,
                       cudaStream_t stream) const {
    RowGrid grid(call.tokens, rows * turnsOf(call.style, call.pe));
    auto kernel = call.style == MLA_ROPE_HALF ? rotate<T, MLA_ROPE_HALF>
                                              : rotate<T, MLA_ROPE_INTERLEAVED>;
    kernel<<<grid.blocks, blockThreads, 0, stream>>>(
        grid, from, to, rows, call.pe, call.table, call.positions);
  }
  void enqueueConcatenation(const Parts &parts, int rows,
                            cudaStream_t stream) const {
    RowGrid grid(call.tokens * rows, parts.packets[0] + parts.packets[1]);
    concatenate<<<grid.blocks, blockThreads, 0, stream>>>(grid, parts, rows);
  }
  template <typename T> void enqueueQuantization(cudaStream_t stream) const;

  char *memory;
};

template <typename T>
void Chain::enqueueQuantization(cudaStream_t stream) const {
  bool isWhole = concatenates, isNope = !isWhole && call.qNope;
  Rows from = isWhole ? assembled : isNope ? call.qNope : rotatedQuery;
  Rows to = isWhole || isNope ? call.query : call.queryPe;
  int width = isWhole ? call.nope + call.pe : isNope ? call.nope : call.pe;
  int packets = width / packetColumns;
  RowGrid grid(call.tokens * call.heads, packets);
  quantize<T><<<grid.blocks, blockThreads, 0, stream>>>(
      grid, from, to, call.heads, packets, call.queryScale);
}

template <typename T> cudaError_t Chain::run(cudaStream_t stream) const {
  if (isEmpty())
    return cudaSuccess;
  if (rotatesQuery)
    enqueueRotation<T>(call.qPe ? call.qPe : call.queryPe, rotatedQuery,
                       call.heads, stream);
  if (rotatesKey)
    enqueueRotation<T>(call.kPe, rotatedKey, 1, stream);
  if (copiesKey)
    enqueueConcatenation(
        {{{}, call.kPe}, {{}, call.kPeOut}, {0, call.pe / packetColumns}}, 1,
        stream);
  if (concatenates) {
    Rows to = quantizes ? assembled : call.query;
    Rows toPe = quantizes ? to.from(call.nope * elementBytes) : call.queryPe;
    int pe = call.qPe ? call.pe : 0;
    enqueueConcatenation({{call.qNope, rotatedQuery},
                          {to, toPe},
                          {call.nope / packetColumns, pe / packetColumns}},
                         call.heads, stream);
  }
  if (quantizes)
    enqueueQuantization<T>(stream);
  if (writesCache) {
    RowGrid grid(call.tokens, (call.latent + call.pe) / packetColumns,
                 threadMultiple(call));
    writeCache<T>
        <<<grid.blocks, blockThreads, 0, stream>>>(grid, call, rotatedKey);
  }
  return cudaGetLastError();
}

bool takes(const mla_append_params &params) {
  return AppendCall::read(params).has_value();
}

uint64_t scratchBytes(const mla_append_params &params) {
  return Chain(params, nullptr).scratchBytes;
}

template <typename T> cudaError_t load() {
  return loadKernels(rotate<T, MLA_ROPE_INTERLEAVED>, rotate<T, MLA_ROPE_HALF>,
                     concatenate, quantize<T>, writeCache<T>);
}

cudaError_t prepare(const mla_append_params &params, void *, cudaStream_t) {
  return Chain(params, nullptr).call.dtype == MLA_DTYPE_F16
             ? load<__half>()
             : load<__nv_bfloat16>();
}

cudaError_t run(const mla_append_params &params, void *scratch,
                cudaStream_t stream) {
  Chain chain(params, scratch);
  return chain.call.dtype == MLA_DTYPE_F16 ? chain.run<__half>(stream)
                                           : chain.run<__nv_bfloat16>(stream);
}

int launches(const mla_append_params &params) {
  return Chain(params, nullptr).launches();
}

} // namespace

AppendPeer peers::fiveLaunches() {
  return {"five_launches",
          "One kernel each rotates q_pe, rotates k_pe, concatenates the query, "
          "quantizes it and writes the cache, where the call needs that; "
          "rotated values go through the inputs' type, as with "
          "MLA_ROUNDING_THROUGH_INPUT_TYPE.",
          takes,
          scratchBytes,
          prepare,
          run,
          launches};
}
