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

const char *mla::bench::phaseName(Phase phase) {
  return phase == Phase::Context ? "context" : "generation";
}

const char *mla::bench::ropeName(Rope rope) {
  switch (rope) {
  case Rope::None:
    return "none";
  case Rope::Interleaved:
    return "interleaved";
  case Rope::Half:
    return "half";
  }
  return "?";
}

const char *mla::bench::queryName(QueryMode query) {
  switch (query) {
  case QueryMode::None:
    return "none";
  case QueryMode::InPlace:
    return "in_place";
  case QueryMode::Pe:
    return "pe";
  case QueryMode::Assembled:
    return "assembled";
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

int64_t Case::rowBytes() const {
  if (cacheFormat == CacheFormat::Fp8Blocks)
    return latent + latent / 128 * 4 + pe * mla_dtype_bits(dtype) / 8;
  // The positional part of an fp8 cache is fp8 too.
  return (latent + pe) * mla_dtype_bits(cacheDtype) / 8;
}

uint32_t Case::queryDtype() const {
  return cacheFormat == CacheFormat::Fp8Query ? cacheDtype : dtype;
}

const char *Case::cacheName() const {
  if (cacheFormat == CacheFormat::Fp8Blocks)
    return "fp8_block";
  return cacheDtype == dtype ? "same" : "fp8";
}

void Case::setTokens(int64_t count) {
  batch = count;
  newTokens = 1;
  keys = 1024; // that many before it
  if (phase == Phase::Generation)
    return;
  batch = count % 4 == 0 ? 4 : count % 2 == 0 ? 2 : 1;
  newTokens = keys = count / batch;
}

bool Case::copies() const { return op == Op::Append || op == Op::GatherKV; }

/// What else tells calls of append apart.
static std::string appendWords(const Case &c) {
  std::string text = std::string(" ") + phaseName(c.phase) + " ";
  text += c.query == QueryMode::None ? "no_query" : queryName(c.query);
  text += " ";
  text += c.rope == Rope::None ? "no_rope" : ropeName(c.rope);
  return text + (c.sliced ? " sliced" : "");
}

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
  if (topk > 0)
    text += field("topk", topk);
  if (op == Op::ExpandKV)
    text += field("S", allKeys());
  if (op != Op::ExpandKV && op != Op::GatherKV)
    text += field("T", tokens());
  if (op != Op::GatherKV)
    text += field("H", heads);
  if (op == Op::MergeStates)
    text += field("S", states);
  if (pe != Case().pe || op == Op::Append)
    text += field("R", pe);
  if ((op == Op::Append || op == Op::GatherKV) && page != Case().page)
    text += field("P", page);
  if (op == Op::Append)
    text += appendWords(*this);
  return text;
}

std::string Case::problem() const {
  if (op == Op::Append) {
    if (rope != Rope::None && (pe == 0 || pe % 2))
      return std::string(
                 "rope: expected none, or an even R > 0 to rotate, got ") +
             ropeName(rope) + " and R = " + std::to_string(pe);
    if (pe == 0 && (query == QueryMode::InPlace || query == QueryMode::Pe))
      return std::string(
                 "query: expected none or assembled where R = 0, got ") +
             queryName(query);
    if (queryDtype() != dtype && query != QueryMode::Assembled &&
        query != QueryMode::Pe)
      return std::string("query_dtype: expected same where the query is ") +
             queryName(query) + ", got fp8";
  }
  if (cacheFormat == CacheFormat::Fp8Blocks && latent % 128)
    return "cache: expected L in blocks of 128 for fp8_block, got L = " +
           std::to_string(latent);
  if (cacheDtype != dtype && mla_dtype_bits(dtype) != 16)
    return std::string("cache: expected same where dtype is not of 16 bits, "
                       "got ") +
           cacheName() + " and " + mla_dtype_name(dtype);
  return "";
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
  bool queried = c.op == Op::AbsorbedAttention || c.op == Op::Append;
  if (format == "fp8_query" && queried)
    result.cacheFormat = CacheFormat::Fp8Query;
  else if (format == "fp8_block")
    result.cacheFormat = CacheFormat::Fp8Blocks;
  else
    return std::nullopt;
  if (!result.problem().empty())
    return std::nullopt;
  return result;
}
