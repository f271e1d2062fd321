//===- PagedCache.cpp - The cache that calls find their rows in -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PagedCache.h"

#include <algorithm>
#include <numeric>

using namespace mla::bench;

int64_t mla::bench::pagesOf(const Case &c, int64_t keys) {
  return (keys + c.page - 1) / c.page;
}

std::vector<int64_t> mla::bench::shuffled(int64_t count, std::mt19937 &random) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  return order;
}

CachePool::CachePool(Operands &operands, const Case &c, int64_t pages) {
  if (c.cacheFormat == CacheFormat::Fp8Blocks) {
    const mla_tensor *rows =
        operands.packedRows(pages, c.page, c.latent, c.dtype, c.pe);
    int64_t blocks = c.latent / 128;
    latent = operands.field(rows, 0, c.cacheDtype, c.latent);
    scales = operands.field(rows, c.latent, MLA_DTYPE_F32, blocks);
    pe = operands.field(rows, c.latent + 4 * blocks, c.dtype, c.pe);
    return;
  }
  const mla_tensor *rows =
      operands.random(c.cacheDtype, {pages, c.page, c.latent + c.pe});
  latent = operands.columns(rows, 0, c.latent);
  pe = operands.columns(rows, c.latent, c.pe);
  if (c.cacheDtype == MLA_DTYPE_F8E4M3FN) {
    latentScale = operands.scalar(1);
    peScale = pe ? operands.scalar(1) : nullptr;
  }
}

/// Of all sequences.
static int64_t allPages(const Case &c) {
  int64_t pages = 0;
  for (int64_t b = 0; b < c.batch; ++b)
    pages += pagesOf(c, c.keysOf(b));
  return pages;
}

int64_t mla::bench::poolPages(const Case &c) {
  return std::max<int64_t>(allPages(c), 1);
}

PagedCache::PagedCache(Operands &operands, const Case &c, std::mt19937 &random)
    : PagedSequences(operands, c, random), pool(operands, c, poolPages(c)) {}

PagedSequences::PagedSequences(Operands &operands, const Case &c,
                               std::mt19937 &random)
    : columns(pagesOf(c, c.mostKeys())) {
  std::vector<int32_t> lengths, firstTokens{0}, firstKeys{0};
  std::vector<int64_t> order = shuffled(allPages(c), random);
  auto next = order.begin();
  for (int64_t b = 0; b < c.batch; ++b) {
    lengths.push_back(static_cast<int32_t>(c.keysOf(b)));
    firstTokens.push_back(firstTokens.back() +
                          static_cast<int32_t>(c.newTokens));
    firstKeys.push_back(firstKeys.back() + lengths.back());
    for (int64_t i = 0; i < columns; ++i)
      table.push_back(
          i < pagesOf(c, c.keysOf(b)) ? static_cast<int32_t>(*next++) : -1);
  }
  pageTable = operands.integers({c.batch, columns}, table);
  kvLens = operands.integers({c.batch}, lengths);
  cuQ = operands.integers({c.batch + 1}, firstTokens);
  cuK = operands.integers({c.batch + 1}, firstKeys);
}

std::vector<int64_t> PagedSequences::slots(const Case &c) const {
  std::vector<int64_t> result;
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t key = 0; key < c.keysOf(b); ++key) {
      auto entry = static_cast<size_t>(b * columns + key / c.page);
      result.push_back(int64_t{table[entry]} * c.page + key % c.page);
    }
  return result;
}
