//===- ContextParallelCase.cpp - One batch over several ranks -------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "ContextParallelCase.h"

#include "reference/absorbed_attention.h"

using namespace mla;
using namespace mla::test;

Ownership mla::test::dealtOut(int64_t size, int64_t interleave,
                              int64_t mostKeys) {
  std::vector<int64_t> owners;
  for (int64_t rank = 0; static_cast<int64_t>(owners.size()) < mostKeys;
       rank = rank + 1 < size ? rank + 1 : 0)
    owners.insert(owners.end(), interleave, rank);
  return [owners](int64_t, int64_t p) { return owners[p]; };
}

RankMetadata mla::test::metadataByOracle(const Ownership &owner, int64_t rank,
                                         const std::vector<int64_t> &lengths,
                                         const TestTensor &cuQ,
                                         const TestTensor &pageTable,
                                         int64_t tokens, int64_t pageSize) {
  auto numSeqs = static_cast<int64_t>(lengths.size());
  std::vector<int64_t> positions(tokens, 0), slots(tokens, -1),
      localLens(numSeqs, 0), bounds(tokens, 0);
  for (int64_t b = 0; b < numSeqs; ++b) {
    auto first = static_cast<int64_t>(cuQ.at({b}));
    auto end = static_cast<int64_t>(cuQ.at({b + 1}));
    for (int64_t p = 0; p < lengths[b]; ++p) {
      bool mine = owner(b, p) == rank;
      int64_t row = localLens[b];
      localLens[b] += mine;
      // The last token has the last position.
      int64_t t = end - (lengths[b] - p);
      if (t < first)
        continue;
      positions[t] = p;
      bounds[t] = localLens[b];
      if (mine)
        slots[t] =
            static_cast<int64_t>(pageTable.at({b, row / pageSize})) * pageSize +
            row % pageSize;
    }
  }
  return {TestTensor(MLA_DTYPE_I32, {tokens}, positions),
          TestTensor(MLA_DTYPE_I64, {tokens}, slots),
          TestTensor(MLA_DTYPE_I32, {numSeqs}, localLens),
          TestTensor(MLA_DTYPE_I32, {tokens}, bounds)};
}

ContextParallelCase::ContextParallelCase(
    TestContext &ctx, uint64_t seed, const ContextParallelSpec &spec,
    const std::vector<LaunchSpec> &launches)
    : ctx(ctx), random(seed), spec(spec), launches(launches),
      lengths(launches.front().newTokens.size(), 0) {
  for (size_t b = 0; b < lengths.size(); ++b) {
    int64_t total = 0;
    for (const LaunchSpec &launch : launches)
      total += launch.newTokens[b];
    mostKeys = std::max(mostKeys, total);
  }
  owner =
      spec.owner ? spec.owner : dealtOut(spec.size, spec.interleave, mostKeys);
  for (int64_t r = 0; r < spec.size; ++r)
    ranks.push_back(makeRank(r, spec.size));
  single = makeRank(0, 1);
  if (spec.peWidth > 0) {
    cosSin = TestTensor(MLA_DTYPE_F32, {mostKeys + 1, spec.peWidth},
                        Layout::Gapped, random);
    cosSin.fillRandom(random);
  }
}

ContextParallelCase::Rank ContextParallelCase::makeRank(int64_t index,
                                                        int64_t size) {
  auto numSeqs = static_cast<int64_t>(lengths.size());
  // Room for all keys: an arbitrary owner may leave them to one rank.
  int64_t pagesEach = mostKeys / spec.pageSize + 1;
  int64_t pages = numSeqs * pagesEach + 2;
  Rank rank;
  rank.index = index;
  rank.size = size;
  rank.callers = size > 1 && spec.owner;
  // Everything is NaN until it is appended.
  TestTensor pool(spec.dtype,
                  {pages, spec.pageSize, spec.latentWidth + spec.peWidth},
                  Layout::Gapped, random);
  rank.latent = pool.columns(0, spec.latentWidth);
  if (spec.peWidth > 0)
    rank.pe = pool.columns(spec.latentWidth, spec.peWidth);
  rank.pageTable = TestTensor(MLA_DTYPE_I32, {numSeqs, pagesEach},
                              random.choose(numSeqs * pagesEach, pages));
  return rank;
}

void ContextParallelCase::setMetadata(Rank &rank, int64_t tokens) {
  if (rank.callers) {
    rank.metadata = metadataByOracle(owner, rank.index, lengths, cuQ,
                                     rank.pageTable, tokens, spec.pageSize);
    return;
  }
  auto numSeqs = static_cast<int64_t>(lengths.size());
  RankMetadata &m = rank.metadata;
  m.positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                           {tokens}, Layout::Gapped, random);
  m.slots = TestTensor(MLA_DTYPE_I64, {tokens}, Layout::Gapped, random);
  m.localLens = TestTensor(MLA_DTYPE_I32, {numSeqs}, Layout::Gapped, random);
  m.bounds = TestTensor(MLA_DTYPE_I32, {tokens}, Layout::Gapped, random);
  auto params = makeParams<mla_slot_mapping_params>();
  params.kv_lens = kvLens.get();
  params.cu_q = cuQ.get();
  params.page_table = rank.pageTable.get();
  params.positions = m.positions.get();
  params.slots = m.slots.get();
  params.local_kv_lens = m.localLens.get();
  params.kv_bounds = m.bounds.get();
  params.page_size = spec.pageSize;
  params.cp_rank = rank.index;
  params.cp_size = rank.size;
  params.cp_interleave = spec.interleave;
  ASSERT_EQ(mla_slot_mapping(ctx, &params), MLA_STATUS_OK)
      << mla_last_error(ctx);
}

void ContextParallelCase::appendTo(Rank &rank, int64_t style) {
  int64_t tokens = cKv.dim(0);
  rank.query = TestTensor(spec.dtype,
                          {tokens, spec.heads, spec.latentWidth + spec.peWidth},
                          Layout::Gapped, random);
  auto params = makeParams<mla_append_params>();
  params.c_kv = cKv.get();
  params.k_pe = kPe.get();
  params.q_nope = qNope.get();
  params.q_pe = qPe.get();
  params.slots = rank.metadata.slots.get();
  params.cu_q = cuQ.get();
  params.query = rank.query.get();
  params.cache_latent = rank.latent.get();
  params.cache_pe = rank.pe.get();
  if (style != MLA_ROPE_NONE && spec.peWidth > 0) {
    params.cos_sin = cosSin.get();
    params.positions = rank.metadata.positions.get();
    params.rope_style = style;
    params.rope_head_dim = spec.peWidth;
  }
  ASSERT_EQ(mla_append(ctx, &params), MLA_STATUS_OK) << mla_last_error(ctx);
}

void ContextParallelCase::attend(Rank &rank) {
  int64_t tokens = cKv.dim(0);
  rank.o = TestTensor(MLA_DTYPE_F32, {tokens, spec.heads, spec.latentWidth},
                      Layout::Dense, random);
  rank.lse =
      TestTensor(MLA_DTYPE_F32, {tokens, spec.heads}, Layout::Dense, random);
  auto params = makeParams<mla_absorbed_attention_params>();
  params.query = rank.query.get();
  params.cache_latent = rank.latent.get();
  params.cache_pe = rank.pe.get();
  params.page_table = rank.pageTable.get();
  params.cu_q = cuQ.get();
  params.o = rank.o.get();
  params.lse = rank.lse.get();
  params.softmax_scale = 0.2;
  params.kv_lens = kvLens.get();
  if (rank.size > 1) {
    params.kv_lens = rank.metadata.localLens.get();
    params.kv_bounds = rank.metadata.bounds.get();
  }
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
      << mla_last_error(ctx);
}

void ContextParallelCase::launch() {
  const LaunchSpec &launch = launches[next];
  int64_t style = next == 0 ? spec.contextRope : spec.generationRope;
  ++next;
  auto numSeqs = static_cast<int64_t>(lengths.size());
  std::vector<int64_t> offsets = {0};
  for (int64_t b = 0; b < numSeqs; ++b) {
    lengths[b] += launch.newTokens[b];
    offsets.push_back(offsets.back() + launch.newTokens[b]);
  }
  int64_t tokens = offsets.back() + launch.padding;
  kvLens = TestTensor(MLA_DTYPE_I32, {numSeqs}, lengths);
  cuQ = TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, offsets);
  auto make = [&](Shape shape) {
    TestTensor tensor(spec.dtype, std::move(shape), Layout::Gapped, random);
    tensor.fillRandom(random, -2, 2);
    return tensor;
  };
  TestTensor kv = make({tokens, spec.latentWidth + spec.peWidth});
  TestTensor q = make({tokens, spec.heads, spec.latentWidth + spec.peWidth});
  cKv = kv.columns(0, spec.latentWidth);
  qNope = q.columns(0, spec.latentWidth);
  if (spec.peWidth > 0) {
    kPe = kv.columns(spec.latentWidth, spec.peWidth);
    qPe = q.columns(spec.latentWidth, spec.peWidth);
  }
  setMetadata(single, tokens);
  appendTo(single, style);
  attend(single);
  for (Rank &rank : ranks) {
    setMetadata(rank, tokens);
    appendTo(rank, style);
    attend(rank);
    if (!rank.query.sameBits(single.query))
      queryDifference = 1;
  }
}

reference::State
ContextParallelCase::merged(const std::vector<int64_t> &chosen) const {
  Random layout(1);
  int64_t tokens = cKv.dim(0), width = spec.latentWidth;
  auto count = static_cast<int64_t>(chosen.size());
  TestTensor o(MLA_DTYPE_F32, {count, tokens, spec.heads, width},
               Layout::Gapped, layout);
  TestTensor lse(MLA_DTYPE_F32, {count, tokens, spec.heads}, Layout::Gapped,
                 layout);
  for (int64_t i = 0; i < count; ++i) {
    o.slice(i).assign(ranks[chosen[i]].o.array());
    lse.slice(i).assign(ranks[chosen[i]].lse.array());
  }
  TestTensor acc(MLA_DTYPE_F32, {tokens, spec.heads, width}, Layout::Dense,
                 layout);
  TestTensor accLse(MLA_DTYPE_F32, {tokens, spec.heads}, Layout::Dense, layout);
  acc.fill(0);
  accLse.fill(-std::numeric_limits<double>::infinity());
  auto params = makeParams<mla_merge_states_params>();
  params.o_states = o.get();
  params.lse_states = lse.get();
  params.o = acc.get();
  params.lse = accLse.get();
  EXPECT_EQ(mla_merge_states(ctx, &params), MLA_STATUS_OK)
      << mla_last_error(ctx);
  return {acc.array(), accLse.array()};
}

std::vector<int64_t> ContextParallelCase::allRanks() const {
  std::vector<int64_t> all(ranks.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

reference::State ContextParallelCase::alone() const {
  return {single.o.array(), single.lse.array()};
}

reference::State ContextParallelCase::formula() const {
  reference::AbsorbedAttention result;
  result.query = single.query.array();
  result.latent = single.latent.array();
  result.pe = single.pe.array();
  result.pageTable = single.pageTable.array();
  result.kvLens = kvLens.array();
  result.cuQ = cuQ.array();
  result.softmaxScale = 0.2;
  return result.compute();
}

/// Row `p` of sequence `b` in a cache.
static TestTensor rowOf(const TestTensor &cache, const TestTensor &pageTable,
                        int64_t b, int64_t p) {
  int64_t pageSize = cache.dim(1);
  auto page = static_cast<int64_t>(pageTable.at({b, p / pageSize}));
  return cache.slice(page).slice(p % pageSize);
}

int64_t ContextParallelCase::wrongRows() const {
  int64_t wrong = 0;
  for (const Rank &rank : ranks) {
    std::vector<std::pair<const TestTensor *, const TestTensor *>> parts = {
        {&rank.latent, &single.latent}};
    if (spec.peWidth > 0)
      parts.push_back({&rank.pe, &single.pe});
    for (auto [part, whole] : parts) {
      int64_t written = 0;
      for (int64_t page = 0; page < part->dim(0); ++page)
        for (int64_t i = 0; i < spec.pageSize; ++i)
          written += !std::isnan(part->at({page, i, 0}));
      for (size_t b = 0; b < lengths.size(); ++b) {
        int64_t row = 0;
        for (int64_t p = 0; p < lengths[b]; ++p)
          if (owner(b, p) == rank.index)
            wrong += !rowOf(*part, rank.pageTable, b, row++)
                          .sameBits(rowOf(*whole, single.pageTable, b, p));
        written -= row;
      }
      wrong += std::abs(written);
    }
  }
  return wrong;
}

int64_t ContextParallelCase::idleRanks() const {
  int64_t idle = 0;
  for (const Rank &rank : ranks) {
    double keys = 0;
    for (double length : rank.metadata.localLens.array().data)
      keys += length;
    idle += keys == 0;
  }
  return idle;
}
