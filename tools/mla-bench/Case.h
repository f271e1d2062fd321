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

/// append: which step of a model it belongs to, and so what the query's nope
/// part is: of width N before the keys are rebuilt, of width L once absorbed.
/// In a context the rotated keys also go to k_pe_out.
enum class Phase { Generation, Context };

/// append: how pairs of elements are rotated.
enum class Rope { None, Interleaved, Half };

/// append: what becomes of the query.
enum class QueryMode {
  None,      ///< There is none: only the cache is written.
  InPlace,   ///< Its own last R columns are rotated.
  Pe,        ///< q_pe is rotated into its last R columns.
  Assembled, ///< q_nope is copied, and q_pe is rotated beside it.
};

/// "generation", "context".
const char *phaseName(Phase phase);
/// "none", "interleaved", "half".
const char *ropeName(Rope rope);
/// "none", "in_place", "pe", "assembled".
const char *queryName(QueryMode query);

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
  /// absorbed_attention: keys that each token attends to, at random among those
  /// that it sees, or these where they are fewer; 0: it attends to all.
  int64_t topk = 0;

  // Of append alone.
  Phase phase = Phase::Generation;
  Rope rope = Rope::Interleaved;
  QueryMode query = QueryMode::Assembled;
  /// Whether its inputs are slices of wider rows: [c_kv | k_pe | ...] and, for
  /// every head, [nope | q_pe].
  bool sliced = false;

  std::optional<Reference> reference;

  int64_t tokens() const { return batch * newTokens; }
  /// Of append: that many tokens, each of its own sequence in a generation, of
  /// at most four sequences in a context.
  void setTokens(int64_t count);
  int64_t keysOf(int64_t sequence) const {
    return lengths.empty() ? keys : lengths[static_cast<size_t>(sequence)];
  }
  int64_t allKeys() const;
  int64_t mostKeys() const;
  uint32_t queryDtype() const; ///< Of absorbed_attention and append.
  /// Columns of append's query before its last R: D.
  int64_t queryNope() const { return phase == Phase::Context ? nope : latent; }
  /// Bytes of a cache's row.
  int64_t rowBytes() const;
  /// "same", "fp8" or "fp8_block".
  const char *cacheName() const;
  /// One sentence about why there is no such call; empty where there is one.
  std::string problem() const;
  /// Pairs of a token and a key that it attends to, bottom-right causal.
  double visiblePairs() const;
  /// Keys that sequence `b`'s token `i` sees, and how many of them it attends
  /// to.
  int64_t visibleTo(int64_t b, int64_t i) const {
    return keysOf(b) - (newTokens - 1 - i);
  }
  int64_t attendedBy(int64_t b, int64_t i) const;

  /// Bytes that have to move once between memory and the device's cores: every
  /// input element read once and every output element written once. Keys that
  /// several heads or tokens share count once. Of those that tokens choose
  /// (topk) it is known how many of one token there are; how many of a
  /// sequence's tokens is what random choices lead to on average. What is found
  /// through an index counts with the index: slots and positions, page table
  /// and lengths.
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
/// "steps".
const std::vector<std::string> &defaultGrids();
/// All grids: the default ones, "long_prefill", "append", "append_small",
/// "gather", "products" and "latency".
std::vector<std::string> gridNames();
/// The cases of a grid; empty when there is none of that name.
std::vector<Case> makeGrid(const std::string &name, const GridOptions &options);
/// Cases of a file, JSON: {"cases": [{"op", "dtype" and sizes}]}. Without an op
/// a case is absorbed_attention, without a type bf16. Sizes and their other
/// names, by op; those in brackets have a Case's default:
///
///     absorbed_attention  batch B, heads H, kv_len kv; [query_tokens, latent
///     L,
///                         pe R, page_size P, topk, cache, query_dtype,
///                         kv_lens]
///     expanded_attention  batch B, heads H, kv_len kv; [query_tokens, nope N,
///                         value V, pe R, kv_lens]
///     expand_kv           rows S, heads H; [latent L, nope N, value V]
///     absorb_q            tokens T, heads H; [latent L, nope N, pe R]
///     project_v           tokens T, heads H; [latent L, value V]
///     append              tokens T, heads H; [latent L, nope N, pe R,
///                         page_size P, phase, rope, query, query_dtype, cache,
///                         sliced]
///     gather_kv           batch B, kv_len kv; [latent L, pe R, page_size P,
///                         cache, kv_lens]
///     merge_states        tokens T, heads H, states S; [latent L]
///
/// cache: "same" (default), "fp8", "fp8_block". query_dtype: "same", or "fp8"
/// with an fp8 cache. phase, rope and query: as the functions above name them.
/// kv_lens: the keys of each sequence where they differ. Every other field may
/// be a list: the case then stands for the product of all lists, without what
/// there is no call for. A case of absorbed_attention may say what it is
/// compared with: "limit_us", "peers_us", "best_peer_us"; where it has no "op",
/// other fields are passed over.
io::Result<std::vector<Case>> readCases(const std::string &path);

/// `c` with a cache of format "same", "fp8", "fp8_query" or "fp8_block"; none
/// where it has no cache or can't have that format.
std::optional<Case> withCache(const Case &c, const std::string &format);

} // namespace mla::bench

#endif // MLA_BENCH_CASE_H
