//===- AttentionGrids.cpp - Attention that few sequences ask for ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Grids.h"

#include <numeric>

using namespace mla::bench;

/// A case of bf16; `lengths` are the sequences'.
static Case attention(std::vector<int64_t> lengths, int64_t newTokens,
                      int64_t heads) {
  Case c = inType(MLA_DTYPE_BF16);
  c.batch = static_cast<int64_t>(lengths.size());
  c.keys =
      std::accumulate(lengths.begin(), lengths.end(), int64_t{0}) / c.batch;
  c.lengths = std::move(lengths);
  c.newTokens = newTokens;
  c.heads = heads;
  return c;
}

/// The same with as many keys in every sequence.
static Case evened(const Case &uneven) {
  Case c = uneven;
  c.lengths.clear();
  return c;
}

std::vector<Case> mla::bench::latencyCases(const GridOptions &options) {
  std::vector<Case> cases;
  for (int64_t heads : choose(options.heads, {16, 64, 128}))
    for (auto [batch, keys] : choose(
             options.batches, {{1, 8192}, {4, 8192}, {16, 8192}, {1, 65536}})) {
      Case c = inType(MLA_DTYPE_BF16);
      c.batch = batch;
      c.keys = keys;
      c.heads = heads;
      cases.push_back(c);
    }
  // Drafts of several tokens.
  for (int64_t heads : choose(options.heads, {16, 128}))
    for (int64_t newTokens : {2, 4, 8})
      for (int64_t batch : {1, 16}) {
        Case c = inType(MLA_DTYPE_BF16);
        c.batch = batch;
        c.keys = 8192;
        c.newTokens = newTokens;
        c.heads = heads;
        cases.push_back(c);
      }
  // Lengths that differ, and next to each the same work evenly split.
  std::vector<int64_t> oneLong(64, 512);
  oneLong.back() = 131072;
  for (int64_t heads : choose(options.heads, {16, 128})) {
    for (const Case &c : {attention(oneLong, 1, heads),
                          attention({4641, 45118, 1730, 1696}, 4, heads)}) {
      cases.push_back(c);
      cases.push_back(evened(c));
    }
  }
  return cases;
}
