//===- PagedBatch.cpp - Ragged sequences over a paged cache, at random ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedBatch.h"

using namespace mla;
using namespace mla::test;

CacheSpec mla::test::randomCacheSpec(Random &random, uint32_t dtype) {
  auto [latent, pe] = random.pick<std::pair<int64_t, int64_t>>(
      {{512, 64}, {512, 0}, {256, 64}, {256, 32}, {128, 32}, {448, 64}});
  CacheSpec spec;
  spec.latentWidth = latent;
  spec.peWidth = pe;
  spec.pageSize = random.pick<int64_t>({1, 8, 16, 32, 64, 128});
  spec.latentDtype = dtype;
  spec.peDtype = dtype;
  return spec;
}

PagedBatch::PagedBatch(Random &random, const CacheSpec &spec,
                       const std::vector<int64_t> &lengths,
                       const std::vector<int64_t> &newTokens, int64_t padding)
    : spec(spec), numSeqs(lengths.size()) {
  std::vector<int64_t> offsets = {0};
  int64_t pagesEach = 1, usedPages = 0;
  for (int64_t b = 0; b < numSeqs; ++b) {
    offsets.push_back(offsets.back() + newTokens[b]);
    int64_t pages = (lengths[b] + spec.pageSize - 1) / spec.pageSize;
    pagesEach = std::max(pagesEach, pages);
    usedPages += pages;
  }
  numTokens = offsets.back() + padding;
  kvLens = TestTensor(MLA_DTYPE_I32, {numSeqs}, lengths);
  cuQ = TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, offsets);

  // The table's entries beyond a sequence's length stay -1: they point nowhere,
  // and nobody may follow them.
  int64_t pages = usedPages + 2;
  pageTable =
      TestTensor(MLA_DTYPE_I32, {numSeqs, pagesEach}, Layout::Gapped, random);
  std::vector<int64_t> order = random.choose(usedPages, pages);
  size_t next = 0;
  for (int64_t b = 0; b < numSeqs; ++b)
    for (int64_t i = 0; i * spec.pageSize < lengths[b]; ++i)
      pageTable.set({b, i}, static_cast<double>(order[next++]));

  cache = CachePool(random, spec, pages, !random.chance(0.3));
  latent = cache.latent;
  pe = cache.pe;
  for (int64_t b = 0; b < numSeqs; ++b)
    for (int64_t p = 0; p < lengths[b]; ++p) {
      auto page = static_cast<int64_t>(pageTable.at({b, p / spec.pageSize}));
      auto row = [&](const TestTensor &part) {
        return part.slice(page).slice(p % spec.pageSize);
      };
      row(cache.latent).fillRandom(random);
      if (cache.pe)
        row(cache.pe).fillRandom(random);
      if (cache.scales)
        row(cache.scales).forEach([&](const Shape &index) {
          row(cache.scales).set(index, std::ldexp(1, random.integer(-3, 3)));
        });
    }
}

PagedBatch mla::test::randomBatch(Random &random, const CacheSpec &spec,
                                  int64_t numSeqs, int64_t most,
                                  int64_t tokens) {
  std::vector<int64_t> lengths, newTokens;
  for (int64_t b = 0; b < numSeqs; ++b) {
    int64_t added = std::min(random.integer(0, 4), tokens);
    if (random.chance(0.2))
      added = tokens;
    // Sequences without a new token, and of nothing but new tokens, occur.
    int64_t before = random.chance(0.2) ? 0 : random.integer(0, most);
    added = std::min(added, most);
    lengths.push_back(std::min(before + added, most));
    newTokens.push_back(std::min(added, lengths.back()));
    tokens -= newTokens.back();
  }
  int64_t padding = random.chance(0.5) ? random.integer(1, 3) : 0;
  return PagedBatch(random, spec, lengths, newTokens, padding);
}
