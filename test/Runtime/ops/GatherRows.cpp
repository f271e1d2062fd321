//===- GatherRows.cpp - One call of mla_gather_kv, bit for bit ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "GatherRows.h"

#include "ExactRows.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

void GatherRows::build(Random &random) {
  makeCache(random);
  makeSequences(random);
  makeOutputs(random);
}

void GatherRows::makeCache(Random &random) {
  cache = CachePool(random, spec, pages, onePool);
  for (const TestTensor *part : {&cache.latent, &cache.pe}) {
    if (!*part)
      continue;
    bool isMoved = part->dtype() == out;
    (isMoved ? fillBits : fillExactRows)(random, *part);
  }
  if (cache.scales)
    cache.scales.fillRandom(random, 0x1p-10, 2);
  latentRows = convert(cache.latent, cache.latentValues(), random);
  peRows = convert(cache.pe, cache.peValues(), random);
}

void GatherRows::makeSequences(Random &random) {
  Layout lists = random.chance(0.3) ? Layout::Gapped : Layout::Dense;
  // Sequences may share pages.
  pageTable = TestTensor(MLA_DTYPE_I32, {seqs, pagesEach}, lists, random);
  pageTable.forEach([&](const Shape &index) {
    pageTable.set(index, static_cast<double>(random.integer(0, pages - 1)));
  });
  kvLens = TestTensor(MLA_DTYPE_I32, {seqs}, lists, random);
  int64_t most = pagesEach * spec.pageSize;
  for (int64_t b = 0; b < seqs; ++b)
    kvLens.set({b}, static_cast<double>(random.chance(0.3)
                                            ? random.pick<int64_t>({0, most})
                                            : random.integer(0, most)));
}

void GatherRows::makeOutputs(Random &random) {
  auto make = [&](int64_t width) {
    int64_t before = unit * random.integer(1, 2);
    TestTensor rows(
        out, {seqs * length, before + width + unit * random.integer(0, 2)},
        Layout::Dense, random);
    fillMemory(random, rows);
    return rows.columns(before, width);
  };
  if (sliced) {
    TestTensor both = make(spec.latentWidth + spec.peWidth);
    cKv = both.columns(0, spec.latentWidth);
    if (spec.peWidth > 0)
      kPe = both.columns(spec.latentWidth, spec.peWidth);
    return;
  }
  cKv = make(spec.latentWidth);
  if (spec.peWidth > 0)
    kPe = make(spec.peWidth);
}

TestTensor GatherRows::convert(const TestTensor &part,
                               const reference::Array &values,
                               Random &random) const {
  if (!part)
    return TestTensor();
  TestTensor result(out, part.shape(), Layout::Dense, random);
  if (part.dtype() == out)
    copyElements(part, result);
  else
    result.assign(values);
  return result;
}

mla_gather_kv_params GatherRows::params() const {
  auto params = makeParams<mla_gather_kv_params>();
  cache.set(params);
  params.page_table = pageTable.get();
  params.kv_lens = kvLens.get();
  params.c_kv = cKv.get();
  params.k_pe = kPe.get();
  params.window_start = start;
  params.window_length = length;
  params.max_kv = maxKv;
  return params;
}

void GatherRows::expect() {
  const std::pair<const char *, const TestTensor *> tensors[] = {
      {"page_table", &pageTable},
      {"kv_lens", &kvLens},
      {"cache_latent", &cache.latent},
      {"cache_pe", &cache.pe},
      {"cache_scales", &cache.scales},
      {"c_kv", &cKv},
      {"k_pe", &kPe}};
  for (auto [name, tensor] : tensors)
    image.watch(name, *tensor);
  int64_t most = pagesEach * spec.pageSize;
  if (maxKv > 0)
    most = std::min(most, maxKv);
  bool isGood = true;
  for (const TestTensor *scale : {&cache.latentScale, &cache.peScale})
    isGood &= !*scale || scale->at({}) > 0;
  for (int64_t row = 0; row < seqs * length; ++row) {
    int64_t b = row / length, key = start + row % length;
    auto keys = static_cast<int64_t>(kvLens.at({b})), page = int64_t{-1};
    if (isGood && keys <= most && key < keys)
      page = static_cast<int64_t>(pageTable.at({b, key / spec.pageSize}));
    const std::pair<const TestTensor *, const TestTensor *> parts[] = {
        {&latentRows, &cKv}, {&peRows, &kPe}};
    for (auto [from, to] : parts) {
      if (!*to)
        continue;
      if (page < 0 || page >= pages)
        image.zero(to->slice(row));
      else
        image.put(from->slice(page).slice(key % spec.pageSize), to->slice(row));
    }
  }
}

std::string GatherRows::describe() const {
  return std::to_string(seqs) + " windows of " + std::to_string(start) + " + " +
         std::to_string(length) + ", latent " + cache.latent.describe() +
         ", pe " + cache.pe.describe() + ", scales " + cache.scales.describe() +
         ", c_kv " + cKv.describe() + ", k_pe " + kPe.describe();
}
