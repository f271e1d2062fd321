//===- PagedCache.cpp - Which page holds what, and what must not change ---===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PagedCache.h"

#include "mla_runtime/tensor.h"

#include <algorithm>
#include <cstring>

namespace mla::parity {
namespace {

constexpr int64_t kUnusedPages = 3;

bool isPrime(int64_t n) {
  for (int64_t d = 2; d * d <= n; ++d)
    if (n % d == 0)
      return false;
  return n > 1;
}

} // namespace

PagedCache::PagedCache(uint32_t dtype, int64_t pageSize, int64_t width,
                       const std::vector<int64_t> &lengths)
    : pageSize(pageSize) {
  std::vector<int64_t> counts;
  int64_t used = 0;
  for (int64_t length : lengths) {
    counts.push_back((length + pageSize - 1) / pageSize);
    used += counts.back();
    // One column more than anybody needs.
    pagesOfSequence = std::max(pagesOfSequence, counts.back() + 1);
  }

  // With a prime number of pages every step but 0 visits each of them once, in
  // an order that is neither ascending nor contiguous; the first is never 0.
  int64_t pages = used + kUnusedPages;
  while (!isPrime(pages))
    ++pages;
  int64_t step = pages / 2, page = 1;
  std::vector<int32_t> table;
  for (int64_t count : counts)
    for (int64_t column = 0; column < pagesOfSequence; ++column) {
      table.push_back(column < count ? static_cast<int32_t>(page) : -1);
      if (column < count)
        page = (page + step) % pages;
    }
  auto batch = static_cast<int64_t>(lengths.size());
  pageTable = HostTensor::fromIntegers({batch, pagesOfSequence}, table);
  image = HostTensor(dtype, {pages, pageSize, width});
  image.poison();
}

uint64_t PagedCache::getRowIndex(int64_t sequence, int64_t position) const {
  const auto *table = reinterpret_cast<const int32_t *>(pageTable.bytes.data());
  int32_t page = table[sequence * pagesOfSequence + position / pageSize];
  return static_cast<uint64_t>(page * pageSize + position % pageSize);
}

const uint8_t *PagedCache::getRow(const HostTensor &cache, int64_t sequence,
                                  int64_t position) const {
  uint64_t size = cache.rowBytes() / static_cast<uint64_t>(pageSize);
  return cache.bytes.data() + getRowIndex(sequence, position) * size;
}

std::string
PagedCache::update(const HostTensor &cache,
                   const std::vector<std::pair<int64_t, int64_t>> &written) {
  uint64_t size = image.rowBytes() / static_cast<uint64_t>(pageSize);
  for (auto [sequence, position] : written)
    std::memcpy(image.bytes.data() + getRowIndex(sequence, position) * size,
                getRow(cache, sequence, position), size);
  for (uint64_t i = 0; i < image.bytes.size(); i += size)
    if (std::memcmp(image.bytes.data() + i, cache.bytes.data() + i, size)) {
      uint64_t row = i / size, page = row / static_cast<uint64_t>(pageSize);
      return "cache: expected row " +
             std::to_string(row % static_cast<uint64_t>(pageSize)) +
             " of page " + std::to_string(page) + " untouched, got other bytes";
    }
  return "";
}

} // namespace mla::parity
