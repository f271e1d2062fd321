//===- Case.cpp - What one measurement computes ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "mla_runtime/runtime.h"

#include <algorithm>
#include <numeric>

using namespace mla::bench;

const char *mla::bench::opName(Op op) {
  switch (op) {
  case Op::AbsorbedAttention:
    return "absorbed_attention";
  case Op::ExpandedAttention:
    return "expanded_attention";
  case Op::ExpandKV:
    return "expand_kv";
  case Op::AbsorbQ:
    return "absorb_q";
  case Op::ProjectV:
    return "project_v";
  case Op::Append:
    return "append";
  case Op::GatherKV:
    return "gather_kv";
  case Op::MergeStates:
    return "merge_states";
  }
  return "?";
}

int64_t Case::allKeys() const {
  return lengths.empty()
             ? batch * keys
             : std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
}

int64_t Case::mostKeys() const {
  return lengths.empty() ? keys
                         : *std::max_element(lengths.begin(), lengths.end());
}

double Case::visiblePairs() const {
  // Token i of n sees keys - (n - 1 - i) keys.
  double n = static_cast<double>(newTokens);
  return n * static_cast<double>(allKeys()) -
         static_cast<double>(batch) * n * (n - 1) / 2;
}

static double bytesOf(uint32_t dtype) {
  return static_cast<double>(mla_dtype_bits(dtype)) / 8;
}

int64_t Case::rowBytes() const {
  if (cacheFormat == CacheFormat::Fp8Blocks)
    return latent + latent / 128 * 4 + pe * mla_dtype_bits(dtype) / 8;
  // The positional part of an fp8 cache is fp8 too.
  return (latent + pe) * mla_dtype_bits(cacheDtype) / 8;
}

uint32_t Case::queryDtype() const {
  return cacheFormat == CacheFormat::Fp8Query ? cacheDtype : dtype;
}

double Case::bytes() const {
  double a = bytesOf(dtype), T = static_cast<double>(tokens());
  double S = static_cast<double>(allKeys()), H = static_cast<double>(heads);
  double L = static_cast<double>(latent), R = static_cast<double>(pe);
  double N = static_cast<double>(nope), V = static_cast<double>(value);
  double row = static_cast<double>(rowBytes());
  switch (op) {
  case Op::AbsorbedAttention:
    return T * H * (L + R) * bytesOf(queryDtype()) + S * row + T * H * L * a +
           T * H * 4;
  case Op::ExpandedAttention:
    return T * H * (N + R) * a + S * H * (N + V) * a + S * R * a +
           T * H * V * a;
  case Op::ExpandKV:
    return S * L * a + H * (N + V) * L * a + S * H * (N + V) * a;
  case Op::AbsorbQ:
    return T * H * N * a + H * N * L * a + T * H * L * a;
  case Op::ProjectV:
    return T * H * L * a + H * V * L * a + T * H * V * a;
  case Op::Append: // a row of the table, f32, for every token
    return T * (L + R) * a + T * row + 2 * T * H * R * a +
           (rope ? T * R * 4 : 0) + T * 12;
  case Op::GatherKV:
    return S * row + S * (L + R) * a;
  case Op::MergeStates: // the accumulator is read and written, f32
    return static_cast<double>(states) * T * H * (L * a + 4) +
           2 * T * H * (L + 1) * 4;
  }
  return 0;
}

double Case::flops() const {
  double T = static_cast<double>(tokens()), H = static_cast<double>(heads);
  double S = static_cast<double>(allKeys());
  double L = static_cast<double>(latent), R = static_cast<double>(pe);
  double N = static_cast<double>(nope), V = static_cast<double>(value);
  switch (op) {
  case Op::AbsorbedAttention:
    return 2 * visiblePairs() * H * (L + R + L);
  case Op::ExpandedAttention:
    return 2 * visiblePairs() * H * (N + R + V);
  case Op::ExpandKV:
    return 2 * S * H * (N + V) * L;
  case Op::AbsorbQ:
    return 2 * T * H * N * L;
  case Op::ProjectV:
    return 2 * T * H * V * L;
  case Op::Append: // three a rotated element: two products and a sum
    return rope ? 3 * T * (H + 1) * R : 0;
  case Op::GatherKV:
    return 0;
  case Op::MergeStates:
    return 2 * static_cast<double>(states) * T * H * L;
  }
  return 0;
}

bool Case::copies() const { return op == Op::Append || op == Op::GatherKV; }

std::string Case::name() const {
  auto field = [](const char *symbol, int64_t size) {
    return " " + std::string(symbol) + "=" + std::to_string(size);
  };
  std::string text = std::string(opName(op)) + " " + mla_dtype_name(dtype);
  bool cached =
      op == Op::AbsorbedAttention || op == Op::Append || op == Op::GatherKV;
  if (cached && cacheFormat == CacheFormat::Fp8Query)
    text += "/fp8_query";
  else if (cached && cacheFormat == CacheFormat::Fp8Blocks)
    text += "/fp8_block";
  else if (cached && cacheDtype != dtype)
    text += "/" + std::string(mla_dtype_name(cacheDtype));
  if (op == Op::AbsorbedAttention || op == Op::ExpandedAttention ||
      op == Op::GatherKV)
    text += field("B", batch) + field("kv", keys);
  if (!lengths.empty())
    text += " varied";
  if (op == Op::ExpandKV)
    text += field("S", allKeys());
  if (op != Op::ExpandKV && op != Op::GatherKV)
    text += field("T", tokens());
  if (op != Op::GatherKV)
    text += field("H", heads);
  if (op == Op::MergeStates)
    text += field("S", states);
  if (pe != Case().pe)
    text += field("R", pe);
  if (op == Op::Append && !rope)
    text += " no rope";
  return text;
}

std::optional<Case> mla::bench::withCache(const Case &c,
                                          const std::string &format) {
  bool cached = c.op == Op::AbsorbedAttention || c.op == Op::Append ||
                c.op == Op::GatherKV;
  if (format == "same")
    return c;
  if (!cached || c.cacheDtype != c.dtype || mla_dtype_bits(c.dtype) != 16)
    return std::nullopt;
  Case result = c;
  result.cacheDtype = MLA_DTYPE_F8E4M3FN;
  if (format == "fp8")
    return result;
  if (format == "fp8_query" && c.op == Op::AbsorbedAttention) {
    result.cacheFormat = CacheFormat::Fp8Query;
    return result;
  }
  if (format == "fp8_block" && c.latent % 128 == 0) {
    result.cacheFormat = CacheFormat::Fp8Blocks;
    return result;
  }
  return std::nullopt;
}
