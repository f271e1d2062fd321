//===- AttentionForm.h - What calls of absorbed attention are of ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_ATTENTIONFORM_H
#define MLA_TEST_RUNTIME_CUDA_ATTENTIONFORM_H

#include "Random.h"
#include "mla_runtime/runtime.h"

#include <string>
#include <vector>

namespace mla {
namespace test {

/// How the cache's rows lie: latent and pe side by side; each in a tensor of
/// its own; side by side, with room behind each row and each page; with every
/// row one element beyond what a vector is aligned to.
enum class CacheRows { Together, Apart, Gapped, Shifted };

/// What a token sees: up to itself, all its sequence has, or a number of keys
/// at random.
enum class KeyBounds { Causal, All, Random };

/// A call, but for what is drawn from its seed.
struct AttentionForm {
  int64_t latentWidth = 512, peWidth = 64, pageSize = 64, heads = 128;
  uint32_t dtype = MLA_DTYPE_BF16, outDtype = MLA_DTYPE_BF16;
  CacheRows rows = CacheRows::Together;
  /// Elements of the query's tensor behind each head, and more behind each
  /// token; or all tokens have one query, in one place.
  int64_t headGap = 0, tokenGap = 0;
  bool sharesQuery = false;
  KeyBounds bounds = KeyBounds::Causal;
  bool hasSinks = false, hasSchedule = true;
  int64_t topk = -1; ///< Indices of a token; -1: none are given.
  /// The share of them that name no key, and whether others name one twice.
  double absent = 0.1;
  bool repeats = false;
  /// Keys that no token names and sees are NaN. Of causal forms without a
  /// capacity.
  bool poisonsOthers = false;
  /// A softmax with some keys far ahead of the others; else all weigh nearly
  /// the same.
  bool isSharp = false;
  /// Keys, the new ones included, and new tokens of each sequence.
  std::vector<int64_t> lengths, tokens;
  int64_t padding = 0;
  /// Keys that each sequence has pages for; 0: its own length.
  int64_t capacity = 0;
  uint64_t seed = 1;

  /// Every sequence has so many new tokens.
  void setTokens(int64_t each) { tokens.assign(lengths.size(), each); }
  std::string describe() const;

  /// Tokens, padding included.
  int64_t numTokens() const;
  /// cu_q
  std::vector<int64_t> offsets() const;
  /// The rows of a page table: all pages of a cache that the lengths need, in
  /// any order.
  std::vector<int64_t> drawPages(Random &random, int64_t pages,
                                 int64_t columns) const;
  /// kv_bounds and indices of each token; padding's are not to be looked at.
  std::vector<int64_t> drawBounds(Random &random) const;
  std::vector<int64_t> drawIndices(Random &random) const;
};

/// `count` lengths normally distributed around `mean`, its half the deviation,
/// and none below `least`.
std::vector<int64_t> normalLengths(Random &random, int64_t count, double mean,
                                   int64_t least);

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_ATTENTIONFORM_H
