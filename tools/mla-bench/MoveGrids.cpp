//===- MoveGrids.cpp - Cases of what moves rows: append, gather_kv --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Grids.h"

#include <set>

using namespace mla::bench;

namespace {

/// R and how it is rotated.
using Rotation = std::pair<int64_t, Rope>;

const std::vector<Phase> bothPhases = {Phase::Generation, Phase::Context};
const std::vector<int64_t> fewToMany = {1, 8, 64, 128, 512, 2048, 4096, 16384};
const std::vector<const char *> allFormats = {"same", "fp8", "fp8_block"};

/// Lists whose product is meant.
struct AppendLists {
  std::vector<Phase> phases = bothPhases;
  std::vector<QueryMode> queries = {QueryMode::Assembled};
  std::vector<Rotation> rotations = {{64, Rope::Interleaved}};
  std::vector<int64_t> heads = {128}, tokens = fewToMany;
  std::vector<const char *> formats = allFormats;
  bool sliced = false;
};

/// Engines that decode with an fp8 cache quantize the query in the launch that
/// assembles it.
const char *formatOf(const Case &c, const char *format) {
  bool fp8 = std::string(format) == "fp8";
  return fp8 && c.phase == Phase::Generation && c.query == QueryMode::Assembled
             ? "fp8_query"
             : format;
}

/// Adds the product to `cases`, without what is there already or is no call.
/// What the user gave replaces the lists of sizes and types.
void addAppends(const AppendLists &lists, const GridOptions &options,
                std::vector<Case> &cases) {
  std::set<std::string> names;
  for (const Case &c : cases)
    names.insert(c.name());
  std::vector<int64_t> tokens = lists.tokens;
  if (!options.batches.empty())
    tokens.clear();
  for (auto [batch, keys] : options.batches)
    tokens.push_back(batch);
  auto add = [&](Case c, const char *format) {
    bool isPlain = c.cacheDtype == c.dtype;
    c.cacheDtype = c.dtype;
    // A user's fp8 is the format, whatever the list says.
    std::optional<Case> one =
        withCache(c, formatOf(c, isPlain ? format : "fp8"));
    if (one && one->problem().empty() && names.insert(one->name()).second)
      cases.push_back(*one);
  };
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16}))
    for (Phase phase : lists.phases)
      for (QueryMode query : lists.queries)
        for (auto [pe, rope] : lists.rotations)
          for (int64_t heads : choose(options.heads, lists.heads))
            for (int64_t count : tokens)
              for (const char *format : lists.formats) {
                Case c = inType(dtype);
                c.op = Op::Append;
                c.phase = phase;
                c.query = query;
                c.pe = pe;
                c.rope = rope;
                c.heads = heads;
                c.sliced = lists.sliced;
                c.setTokens(count);
                add(c, format);
              }
}

} // namespace

std::vector<Case> mla::bench::appendCases(const GridOptions &options) {
  std::vector<Case> cases;
  auto add = [&](const AppendLists &lists) {
    addAppends(lists, options, cases);
  };
  AppendLists all;
  all.queries = {QueryMode::Assembled, QueryMode::InPlace};
  all.rotations.clear();
  for (int64_t pe : {64, 32})
    for (Rope rope : {Rope::Interleaved, Rope::Half, Rope::None})
      all.rotations.push_back({pe, rope});
  all.rotations.push_back({0, Rope::None});
  add(all);

  AppendLists fewerHeads;
  fewerHeads.rotations = {
      {64, Rope::Interleaved}, {64, Rope::None}, {0, Rope::None}};
  fewerHeads.heads = {8, 16, 32, 64};
  fewerHeads.formats = {"same", "fp8"};
  add(fewerHeads);

  AppendLists sliced;
  sliced.sliced = true;
  add(sliced);

  AppendLists peOnly;
  peOnly.phases = {Phase::Generation};
  peOnly.queries = {QueryMode::Pe};
  peOnly.rotations = {{64, Rope::Interleaved}, {64, Rope::None}};
  peOnly.formats = {"same", "fp8"};
  add(peOnly);

  AppendLists cacheOnly = peOnly;
  cacheOnly.phases = {Phase::Context};
  cacheOnly.queries = {QueryMode::None};
  add(cacheOnly);
  return cases;
}

std::vector<Case> mla::bench::fewAppendCases(const GridOptions &options) {
  std::vector<Case> cases;
  auto add = [&](const AppendLists &lists) {
    addAppends(lists, options, cases);
  };
  AppendLists few;
  few.tokens = {1, 64, 4096};
  AppendLists usual = few;
  usual.rotations = {{64, Rope::Interleaved}, {64, Rope::None}};
  usual.formats = {"same", "fp8"};
  add(usual);

  AppendLists blocks = few;
  blocks.tokens = {64, 4096};
  blocks.formats = {"fp8_block"};
  add(blocks);

  AppendLists narrower = few;
  narrower.phases = {Phase::Generation};
  narrower.rotations = {
      {64, Rope::Half}, {32, Rope::Interleaved}, {0, Rope::None}};
  narrower.tokens = {64};
  narrower.formats = {"same"};
  add(narrower);

  AppendLists queries = few;
  queries.phases = {Phase::Generation};
  queries.queries = {QueryMode::InPlace, QueryMode::Pe, QueryMode::None};
  queries.tokens = {64};
  queries.formats = {"same", "fp8"};
  add(queries);

  AppendLists sliced;
  sliced.sliced = true;
  sliced.tokens = {64};
  sliced.formats = {"same"};
  add(sliced);

  AppendLists heads = sliced;
  heads.sliced = false;
  heads.heads = {16};
  add(heads);
  return cases;
}

std::vector<Case> mla::bench::gatherCases(const GridOptions &options) {
  const std::vector<std::pair<int64_t, int64_t>> batches = {
      {1, 512}, {4, 1024}, {8, 2048}, {16, 2048}, {16, 8192}, {64, 8192}};
  std::vector<Case> cases;
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16}))
    for (auto [batch, keys] : choose(options.batches, batches))
      for (int64_t page : {16, 64})
        for (int64_t pe : {64, 0})
          for (const char *format : allFormats) {
            Case c = inType(dtype);
            c.op = Op::GatherKV;
            c.batch = batch;
            c.keys = keys;
            c.page = page;
            c.pe = pe;
            if (std::optional<Case> one = withCache(c, format))
              cases.push_back(*one);
          }
  return cases;
}
