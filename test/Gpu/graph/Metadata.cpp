//===- Metadata.cpp - What changes between the replays --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Metadata.h"

#include <algorithm>
#include <climits>
#include <numeric>
#include <random>

namespace mla::graph {
namespace {

/// New tokens of each sequence, B of them in all or fewer.
std::vector<int64_t> chooseTokens(int64_t batch, int64_t sequences) {
  std::vector<int64_t> tokens(sequences, 1);
  switch (batch % 8) {
  case 3: // the last tokens are padding
    tokens[sequences - 1] = tokens[sequences - 2] = 0;
    break;
  case 4: // a speculated token
    tokens[0] = 2;
    tokens[1] = 0;
    break;
  case 5: // an idle sequence in the middle, padding at the end
    tokens[sequences / 2] = 0;
    break;
  case 6: // nothing but padding
    std::fill(tokens.begin(), tokens.end(), 0);
    break;
  default:
    break;
  }
  return tokens;
}

/// Pages in any order, in as many rows as there are sequences.
std::vector<int64_t> shufflePages(const StepSizes &sizes,
                                  std::mt19937_64 &engine) {
  std::vector<int64_t> pages(sizes.pages());
  std::iota(pages.begin(), pages.end(), 0);
  std::shuffle(pages.begin(), pages.end(), engine);
  pages.resize(sizes.sequences * sizes.pagesEach);
  return pages;
}

/// Fills in what follows from lengths and offsets.
void addTokens(const StepSizes &sizes, std::mt19937_64 &engine,
               Metadata &batch) {
  std::vector<int64_t> positions(sizes.tokens, 0);
  std::vector<int64_t> indices(sizes.tokens * sizes.topk, -1);
  const std::vector<int64_t> &lengths = batch["kv_lens"], &cuQ = batch["cu_q"];
  for (int64_t b = 0; b < sizes.sequences; ++b)
    for (int64_t t = cuQ[b]; t < cuQ[b + 1]; ++t) {
      int64_t position = lengths[b] - (cuQ[b + 1] - t);
      positions[t] = position;
      std::vector<int64_t> keys(position + 1);
      std::iota(keys.begin(), keys.end(), 0);
      std::shuffle(keys.begin(), keys.end(), engine);
      std::copy_n(keys.begin(), std::min<int64_t>(keys.size(), sizes.topk),
                  indices.begin() + t * sizes.topk);
    }
  batch["positions"] = positions;
  batch["indices"] = indices;
}

} // namespace

std::vector<Metadata> makeBatches(const StepSizes &sizes) {
  std::vector<Metadata> batches;
  for (int64_t i = 0; i < 16; ++i) {
    std::mt19937_64 engine(i);
    Metadata batch;
    std::vector<int64_t> tokens = chooseTokens(i, sizes.sequences);
    std::vector<int64_t> lengths, cuQ = {0};
    for (int64_t count : tokens) {
      lengths.push_back(std::uniform_int_distribution<int64_t>(
          count, sizes.capacity())(engine));
      cuQ.push_back(cuQ.back() + count);
    }
    // The ends of what there can be.
    if (tokens[0] == 1)
      lengths[0] = i % 2 ? 1 : sizes.capacity();
    batch["kv_lens"] = lengths;
    batch["cu_q"] = cuQ;
    batch["page_table"] =
        i == 1 ? batches[0]["page_table"] : shufflePages(sizes, engine);
    addTokens(sizes, engine, batch);
    batches.push_back(std::move(batch));
  }
  return batches;
}

std::vector<StaleBatch> makeStaleBatches(const StepSizes &sizes,
                                         const Metadata &good) {
  const int64_t last = sizes.sequences - 1;
  std::vector<StaleBatch> stale;

  StaleBatch lengths{"kv_lens", good};
  const int64_t noLengths[] = {INT_MAX, -7, sizes.capacity() + 1, INT_MIN};
  for (int64_t b = 1; b < last; ++b)
    lengths.metadata["kv_lens"][b] = noLengths[(b - 1) % 4];
  stale.push_back(lengths);

  StaleBatch pages{"page_table", good};
  const int64_t noPages[] = {-1, sizes.pages(), INT_MAX, INT_MIN};
  for (int64_t b = 1; b < last; ++b)
    for (int64_t k = 0; k < sizes.pagesEach; ++k)
      pages.metadata["page_table"][b * sizes.pagesEach + k] =
          noPages[(b + k) % 4];
  stale.push_back(pages);

  StaleBatch offsets{"cu_q", good};
  offsets.hasTokens = false;
  const int64_t noOffsets[] = {3, 1, INT_MAX, -5, INT_MIN};
  for (int64_t b = 1; b <= sizes.sequences; ++b)
    offsets.metadata["cu_q"][b] = noOffsets[b % 5];
  stale.push_back(offsets);

  // Positions count where there is a rotation; keys that aren't there are none.
  StaleBatch tokens{"positions and indices", good};
  tokens.isReported = false;
  const int64_t none[] = {-1, sizes.capacity(), INT_MAX, INT_MIN};
  for (int64_t t = 1; t < last; ++t) {
    tokens.metadata["positions"][t] = none[t % 4];
    for (int64_t k = 0; k < sizes.topk; ++k)
      tokens.metadata["indices"][t * sizes.topk + k] = none[(t + k) % 4];
  }
  stale.push_back(tokens);
  return stale;
}

} // namespace mla::graph
