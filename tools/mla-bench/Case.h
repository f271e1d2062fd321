//===- Case.h - What one measurement computes -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cases know sizes, not devices: the same ones are measured everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_CASE_H
#define MLA_BENCH_CASE_H

#include "io/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mla::bench {

/// The calls of the ABI that are measured.
enum class Op {
  AbsorbedAttention,
  ExpandedAttention,
  ExpandKV,
  AbsorbQ,
  ProjectV,
  Append,
  GatherKV,
  MergeStates,
};

/// "absorbed_attention", as in ops.def.
const char *opName(Op op);

/// What a cache of 16-bit activations holds.
enum class CacheFormat {
  Plain,     ///< Numbers of `cacheDtype`.
  Fp8Query,  ///< fp8, and the query is fp8 too.
  Fp8Blocks, ///< fp8 latents with a scale for every 128, 16-bit pe columns.
};

/// What others needed for the same, in seconds, on the machine of a file of
/// cases.
struct Reference {
  double limit = 0;    ///< The roofline's time there.
  double bestPeer = 0; ///< The quickest of other implementations.
  std::string peer;    ///< Its name.
};

/// One call. Symbols are those of ops.def; what an op doesn't have is unused.
struct Case {
  Op op = Op::AbsorbedAttention;
  uint32_t dtype = 0;      ///< Activations and weights, MLA_DTYPE_*.
  uint32_t cacheDtype = 0; ///< The latent; an fp8 one has one scale a tensor.
  CacheFormat cacheFormat = CacheFormat::Plain;
  int64_t batch = 1; ///< B, sequences.
  int64_t keys = 1;  ///< Of each sequence, the new tokens included.
  /// The same where they differ, and `keys` is about their mean; else empty.
  std::vector<int64_t> lengths;
  int64_t newTokens = 1; ///< Of each sequence: 1 decodes.
  int64_t heads = 1;     ///< H.
  int64_t latent = 512;  ///< L.
  int64_t pe = 64;       ///< R; 0: no positional part.
  int64_t nope = 128;    ///< N.
  int64_t value = 128;   ///< V.
  int64_t page = 64;     ///< P, rows.
  int64_t states = 2;    ///< merge_states: how many are merged.
  bool rope = true;      ///< append: whether it rotates.

  std::optional<Reference> reference;

  int64_t tokens() const { return batch * newTokens; }
  int64_t keysOf(int64_t sequence) const {
    return lengths.empty() ? keys : lengths[static_cast<size_t>(sequence)];
  }
  int64_t allKeys() const;
  int64_t mostKeys() const;
  uint32_t queryDtype() const; ///< Of absorbed_attention.
  /// Bytes of a cache's row.
  int64_t rowBytes() const;
  /// Pairs of a token and a key that it sees, bottom-right causal.
  double visiblePairs() const;

  /// Bytes that have to move once between memory and the device's cores: every
  /// input element read once and every output element written once. Keys that
  /// several heads or tokens share count once.
  double bytes() const;
  /// A multiplication and an addition are two; exponentials don't count.
  double flops() const;
  /// Whether about as many bytes are written as read: then a copy's bandwidth
  /// is the ceiling, else a read's.
  bool copies() const;

  /// "absorbed_attention bf16 B=16 kv=4096 H=16".
  std::string name() const;
};

/// Sizes and types that a user may restrict a grid to; empty: the grid's own.
struct GridOptions {
  std::vector<int64_t> heads;
  std::vector<uint32_t> dtypes;
  /// Sequences and their keys.
  std::vector<std::pair<int64_t, int64_t>> batches;
};

/// The grids that are measured where nobody chooses: "decode", "prefill",
/// "steps". There is also "long_prefill".
const std::vector<std::string> &gridNames();
/// The cases of a grid; empty when there is none of that name.
std::vector<Case> makeGrid(const std::string &name, const GridOptions &options);
/// Decoding cases of a file, JSON: {"cases": [{"batch", "query_tokens",
/// "heads", "latent", "pe", "page_size", "kv_len", and where they differ
/// "kv_lens", "dtype"; and what they are compared with: "limit_us", "peers_us",
/// "best_peer_us"}]}.
io::Result<std::vector<Case>> readCases(const std::string &path);

/// `c` with a cache of format "same", "fp8", "fp8_query" or "fp8_block"; none
/// where it has no cache or can't have that format.
std::optional<Case> withCache(const Case &c, const std::string &format);

} // namespace mla::bench

#endif // MLA_BENCH_CASE_H
