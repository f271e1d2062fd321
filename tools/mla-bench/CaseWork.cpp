//===- CaseWork.cpp - Bytes and operations of a case ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "mla_runtime/runtime.h"

#include <algorithm>

using namespace mla::bench;

static double bytesOf(uint32_t dtype) {
  return static_cast<double>(mla_dtype_bits(dtype)) / 8;
}

/// Bytes of the scales that a whole fp8 tensor has, of the cache and the query.
static double scaleBytes(const Case &c, bool hasQuery) {
  int64_t scales = 0;
  if (c.cacheFormat != CacheFormat::Fp8Blocks && c.cacheDtype != c.dtype)
    scales += c.pe ? 2 : 1;
  if (hasQuery && c.queryDtype() != c.dtype)
    ++scales;
  return static_cast<double>(scales) * 4;
}

static double appendBytes(const Case &c) {
  double a = bytesOf(c.dtype), q = bytesOf(c.queryDtype());
  double L = static_cast<double>(c.latent), R = static_cast<double>(c.pe);
  double H = static_cast<double>(c.heads);
  double D = static_cast<double>(c.queryNope());
  // Of a token: the slot, and what goes into the cache.
  double bytes = 8 + (L + R) * a + static_cast<double>(c.rowBytes());
  if (c.phase == Phase::Context)
    bytes += R * a;
  if (c.rope != Rope::None)
    bytes += 8 + R * 4; // the position, and a row of the table, f32
  switch (c.query) {
  case QueryMode::None:
    break;
  case QueryMode::InPlace:
    bytes += c.rope == Rope::None ? 0 : 2 * H * R * q;
    break;
  case QueryMode::Pe:
    bytes += H * R * (a + q);
    break;
  case QueryMode::Assembled:
    bytes += H * (D + R) * (a + q);
    break;
  }
  return static_cast<double>(c.tokens()) * bytes +
         scaleBytes(c, c.query != QueryMode::None);
}

static double gatherBytes(const Case &c) {
  double pages = 0;
  for (int64_t b = 0; b < c.batch; ++b)
    pages += static_cast<double>((c.keysOf(b) + c.page - 1) / c.page);
  // Padding is written too.
  double rows = static_cast<double>(c.batch * c.mostKeys());
  return static_cast<double>(c.allKeys()) * static_cast<double>(c.rowBytes()) +
         rows * static_cast<double>(c.latent + c.pe) * bytesOf(c.dtype) +
         (pages + static_cast<double>(c.batch)) * 4 + scaleBytes(c, false);
}

/// Keys that any of a sequence's tokens chooses, as many as are to be expected.
static double chosenKeys(const Case &c, int64_t b) {
  // From the last token on: what it sees, those before it see but for its end.
  // So the tokens behind one have left out any key that it sees with the same
  // chance, each on its own.
  double chosen = 0, leftOut = 1;
  for (int64_t i = c.newTokens - 1; i >= 0; --i)
    if (int64_t count = c.attendedBy(b, i)) {
      chosen += static_cast<double>(count) * leftOut;
      leftOut *= 1 - static_cast<double>(count) /
                         static_cast<double>(c.visibleTo(b, i));
    }
  return chosen;
}

/// The rows of the cache that absorbed_attention reads, and the indices.
static double keyBytes(const Case &c) {
  if (c.topk == 0)
    return static_cast<double>(c.allKeys()) * static_cast<double>(c.rowBytes());
  double rows = 0;
  for (int64_t b = 0; b < c.batch; ++b)
    rows += chosenKeys(c, b);
  return rows * static_cast<double>(c.rowBytes()) +
         static_cast<double>(c.tokens()) * static_cast<double>(c.topk) * 4;
}

int64_t Case::attendedBy(int64_t b, int64_t i) const {
  int64_t seen = std::max(visibleTo(b, i), int64_t{0});
  return topk > 0 ? std::min(topk, seen) : seen;
}

double Case::bytes() const {
  double a = bytesOf(dtype), T = static_cast<double>(tokens());
  double S = static_cast<double>(allKeys()), H = static_cast<double>(heads);
  double L = static_cast<double>(latent), R = static_cast<double>(pe);
  double N = static_cast<double>(nope), V = static_cast<double>(value);
  switch (op) {
  case Op::AbsorbedAttention:
    return T * H * (L + R) * bytesOf(queryDtype()) + keyBytes(*this) +
           T * H * L * a + T * H * 4;
  case Op::ExpandedAttention:
    return T * H * (N + R) * a + S * H * (N + V) * a + S * R * a +
           T * H * V * a;
  case Op::ExpandKV:
    return S * L * a + H * (N + V) * L * a + S * H * (N + V) * a;
  case Op::AbsorbQ:
    return T * H * N * a + H * N * L * a + T * H * L * a;
  case Op::ProjectV:
    return T * H * L * a + H * V * L * a + T * H * V * a;
  case Op::Append:
    return appendBytes(*this);
  case Op::GatherKV:
    return gatherBytes(*this);
  case Op::MergeStates: // the accumulator is read and written, f32
    return static_cast<double>(states) * T * H * (L * a + 4) +
           2 * T * H * (L + 1) * 4;
  }
  return 0;
}

double Case::visiblePairs() const {
  if (topk > 0) {
    double pairs = 0;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t i = 0; i < newTokens; ++i)
        pairs += static_cast<double>(attendedBy(b, i));
    return pairs;
  }
  // Token i of n sees keys - (n - 1 - i) keys.
  double n = static_cast<double>(newTokens);
  return n * static_cast<double>(allKeys()) -
         static_cast<double>(batch) * n * (n - 1) / 2;
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
    if (rope == Rope::None)
      return 0;
    return 3 * T * R * (query == QueryMode::None ? 1 : H + 1);
  case Op::GatherKV:
    return 0;
  case Op::MergeStates:
    return 2 * static_cast<double>(states) * T * H * L;
  }
  return 0;
}
