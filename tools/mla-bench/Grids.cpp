//===- Grids.cpp - The cases that are measured ----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Grids.h"

using namespace mla::bench;

namespace {

/// One token a sequence over its cache: from one short sequence, which stays in
/// a cache of the machine, to more than any cache holds.
std::vector<Case> decode(const GridOptions &options) {
  std::vector<Case> cases;
  for (uint32_t dtype : choose(
           options.dtypes, {MLA_DTYPE_BF16, MLA_DTYPE_F32, MLA_DTYPE_F8E4M3FN}))
    for (int64_t heads : choose(options.heads, {1, 2, 16, 128}))
      for (auto [batch, keys] :
           choose(options.batches, {{1, 4096}, {16, 4096}, {64, 8192}})) {
        // The largest cache is a matter of bandwidth: of bf16 with few heads.
        bool large = options.batches.empty() && batch * keys > 100000;
        if (large && (heads > 16 || dtype != MLA_DTYPE_BF16))
          continue;
        Case c = inType(dtype);
        c.batch = batch;
        c.keys = keys;
        c.heads = heads;
        cases.push_back(c);
      }
  return cases;
}

/// A sequence of 1024 tokens without history, in both forms.
std::vector<Case> prefill(const GridOptions &options) {
  std::vector<Case> cases;
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16, MLA_DTYPE_F32}))
    for (int64_t heads : choose(options.heads, {16, 128}))
      for (auto [batch, keys] : choose(options.batches, {{1, 1024}}))
        for (Op op :
             {Op::ExpandKV, Op::ExpandedAttention, Op::AbsorbedAttention}) {
          Case c = inType(dtype);
          // Only the absorbed form reads the cache itself.
          if (op != Op::AbsorbedAttention && c.cacheDtype != c.dtype)
            continue;
          c.op = op;
          c.batch = batch;
          c.keys = c.newTokens = keys;
          c.heads = heads;
          cases.push_back(c);
        }
  return cases;
}

/// Long sequences without history, keys and values rebuilt.
std::vector<Case> longPrefill(const GridOptions &options) {
  std::vector<Case> cases;
  const std::pair<int64_t, int64_t> sizes[] = {
      {128, 4096}, {128, 8192}, {16, 16384}};
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16}))
    for (auto [heads, keys] : sizes) {
      Case c = inType(dtype);
      c.cacheDtype = c.dtype;
      c.op = Op::ExpandedAttention;
      c.heads = heads;
      c.keys = c.newTokens = keys;
      cases.push_back(c);
    }
  return cases;
}

/// What surrounds the attention in a step.
std::vector<Case> steps(const GridOptions &options) {
  std::vector<Case> cases;
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16, MLA_DTYPE_F32}))
    for (auto [batch, keys] : choose(options.batches, {{1, 4096}, {64, 1024}}))
      for (int64_t heads : choose(options.heads, {16, 128})) {
        Case c = inType(dtype);
        c.batch = batch;
        c.keys = keys;
        c.heads = heads;
        for (Op op : {Op::AbsorbQ, Op::ProjectV, Op::MergeStates}) {
          c.op = op;
          cases.push_back(c);
        }
        c.op = Op::Append;
        c.query = QueryMode::Pe; // absorb_q writes the other columns
        c.sliced = true;
        for (Rope rope : {Rope::Interleaved, Rope::None}) {
          c.rope = rope;
          cases.push_back(c);
        }
        if (heads != choose(options.heads, {16, 128}).front())
          continue; // it has no heads
        c.op = Op::GatherKV;
        cases.push_back(c);
      }
  return cases;
}

/// The products around the attention, of few tokens to many: which kernel takes
/// them depends on that.
std::vector<Case> products(const GridOptions &options) {
  std::vector<Case> cases;
  for (uint32_t dtype : choose(options.dtypes, {MLA_DTYPE_BF16}))
    for (int64_t heads : choose(options.heads, {16, 128}))
      for (Op op : {Op::AbsorbQ, Op::ProjectV})
        for (auto [batch, keys] : choose(
                 options.batches,
                 {{1, 1}, {2, 1}, {4, 1}, {8, 1}, {16, 1}, {32, 1}, {64, 1}})) {
          Case c = inType(dtype);
          c.op = op;
          c.batch = batch;
          c.keys = keys;
          c.heads = heads;
          cases.push_back(c);
        }
  return cases;
}

using Grid = std::vector<Case> (*)(const GridOptions &);
const std::pair<const char *, Grid> grids[] = {
    {"decode", decode},       {"prefill", prefill},
    {"steps", steps},         {"long_prefill", longPrefill},
    {"append", appendCases},  {"append_small", fewAppendCases},
    {"gather", gatherCases},  {"products", products},
    {"latency", latencyCases}};

} // namespace

const std::vector<std::string> &mla::bench::defaultGrids() {
  static const std::vector<std::string> names = {"decode", "prefill", "steps"};
  return names;
}

std::vector<std::string> mla::bench::gridNames() {
  std::vector<std::string> names;
  for (const auto &[name, make] : grids)
    names.push_back(name);
  return names;
}

std::vector<Case> mla::bench::makeGrid(const std::string &name,
                                       const GridOptions &options) {
  for (const auto &[own, make] : grids)
    if (own == name)
      return make(options);
  return {};
}
