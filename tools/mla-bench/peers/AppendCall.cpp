//===- AppendCall.cpp - A call of mla_append as the peers see it ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AppendCall.h"

#include <limits>

using namespace mla::bench::peers;

namespace {

/// Columns come in sixteens: a packet of 16-bit elements is eight, and of rows
/// that are rotated by halves each half is to have whole ones.
constexpr int64_t columnUnit = 16;

int64_t sizeOf(const mla_tensor &tensor) {
  return mla_dtype_bits(tensor.dtype) / 8;
}

int64_t widthOf(const mla_tensor *tensor) {
  return tensor ? tensor->shape[tensor->rank - 1] : 0;
}

char *addressOf(const mla_tensor &tensor) {
  return tensor.data ? static_cast<char *>(tensor.data) + tensor.byte_offset
                     : nullptr;
}

const float *scalarOf(const mla_tensor *tensor) {
  return tensor ? reinterpret_cast<const float *>(addressOf(*tensor)) : nullptr;
}

/// Bytes from one index of dim `i` to the next; 0 where there is no next.
int64_t strideOf(const mla_tensor &tensor, int i) {
  return tensor.shape[i] > 1 ? tensor.strides[i] * sizeOf(tensor) : 0;
}

Integers integersOf(const mla_tensor *tensor) {
  if (!tensor)
    return {};
  return {addressOf(*tensor), strideOf(*tensor, 0),
          tensor->dtype == MLA_DTYPE_I64};
}

/// Reads tensors, and remembers whether all of them suit the peers.
struct Reader {
  bool suits = true;

  void require(bool condition) { suits &= condition; }

  /// Rows whose packets of `columns` elements are aligned.
  Rows rows(const mla_tensor *tensor, int64_t columns) {
    if (!tensor)
      return {};
    Rows result = {addressOf(*tensor), strideOf(*tensor, 0),
                   tensor->rank > 2 ? strideOf(*tensor, 1) : 0};
    int64_t unit = columns * sizeOf(*tensor);
    int last = tensor->rank - 1;
    require(tensor->strides[last] == 1 || tensor->shape[last] <= 1);
    require(reinterpret_cast<uintptr_t>(result.data) % unit == 0 &&
            result.outer % unit == 0 && result.inner % unit == 0);
    return result;
  }
  Rows packets(const mla_tensor *tensor) {
    require(widthOf(tensor) % columnUnit == 0);
    return rows(tensor, 8);
  }
};

RowFormat formatOf(const mla_append_params &params) {
  if (params.cache_latent && params.cache_latent->dtype == MLA_DTYPE_F8E4M3FN)
    return params.cache_scales ? RowFormat::Fp8Blocks : RowFormat::Fp8;
  return RowFormat::Same;
}

/// Whether all inputs have one 16-bit type, and outputs that or the fp8 that
/// the format of the cache and the query ask for.
bool typesSuit(const mla_append_params &params, uint32_t dtype,
               RowFormat format) {
  if (dtype != MLA_DTYPE_F16 && dtype != MLA_DTYPE_BF16)
    return false;
  auto is = [](const mla_tensor *tensor, uint32_t type) {
    return !tensor || tensor->dtype == type;
  };
  uint32_t pe = format == RowFormat::Fp8 ? uint32_t{MLA_DTYPE_F8E4M3FN} : dtype;
  return is(params.c_kv, dtype) && is(params.k_pe, dtype) &&
         is(params.q_nope, dtype) && is(params.q_pe, dtype) &&
         is(params.k_pe_out, dtype) && is(params.cache_pe, pe) &&
         (is(params.query, dtype) || is(params.query, MLA_DTYPE_F8E4M3FN)) &&
         (format != RowFormat::Same || is(params.cache_latent, dtype));
}

} // namespace

std::optional<AppendCall> AppendCall::read(const mla_append_params &params) {
  AppendCall call;
  for (const mla_tensor *tensor : {params.query, params.k_pe_out, params.q_pe,
                                   params.q_nope, params.k_pe, params.c_kv})
    if (tensor) {
      call.dtype = tensor->dtype; // an input's, where there is one
      call.tokens = tensor->shape[0];
    }
  call.format = formatOf(params);
  if (params.cu_q || !typesSuit(params, call.dtype, call.format))
    return std::nullopt;
  Reader reader;
  call.cKv = reader.packets(params.c_kv);
  call.kPe = reader.packets(params.k_pe);
  call.qNope = reader.packets(params.q_nope);
  call.qPe = reader.packets(params.q_pe);
  call.kPeOut = reader.packets(params.k_pe_out);
  call.cacheLatent = reader.packets(params.cache_latent);
  call.cachePe = reader.packets(params.cache_pe);
  call.scales = reader.rows(params.cache_scales, 1);
  call.latent = static_cast<int>(widthOf(params.c_kv));
  call.nope = static_cast<int>(widthOf(params.q_nope));
  call.style = params.rope_style;
  call.through = params.rounding == MLA_ROUNDING_THROUGH_INPUT_TYPE;
  call.pe = static_cast<int>(params.q_pe      ? widthOf(params.q_pe)
                             : params.k_pe    ? widthOf(params.k_pe)
                             : call.rotates() ? params.rope_head_dim
                                              : 0);
  reader.require(call.pe % columnUnit == 0);
  if (params.query && params.query->shape[1] > 0) {
    int64_t size = sizeOf(*params.query);
    call.query = reader.packets(params.query);
    call.fp8Query = size == 1;
    call.heads = static_cast<int>(params.query->shape[1]);
    call.queryPe = call.query.from((widthOf(params.query) - call.pe) * size);
  }
  if (params.cache_latent)
    call.page = params.cache_latent->shape[1];
  call.slots = integersOf(params.slots);
  if (call.rotates()) {
    call.positions = integersOf(params.positions);
    call.table = reader.rows(params.cos_sin, 4);
  }
  call.queryScale = scalarOf(params.query_scale);
  call.latentScale = scalarOf(params.latent_scale);
  call.peScale = scalarOf(params.pe_scale);
  // Rows are counted in 32 bits.
  reader.require(call.tokens * (call.heads + 1) <
                 std::numeric_limits<int32_t>::max());
  return reader.suits ? std::optional(call) : std::nullopt;
}
