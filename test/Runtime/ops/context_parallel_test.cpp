//===- context_parallel_test.cpp - Several ranks compute what one does ----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "ContextParallelCase.h"

#include <set>

using namespace mla;
using namespace mla::test;

namespace {

class ContextParallelTest : public OpTest {
protected:
  /// All launches: after each the merged ranks agree with one rank, and that
  /// with the formula.
  void compare(ContextParallelCase &c, uint32_t dtype) {
    while (c.remaining() > 0) {
      SCOPED_TRACE(std::to_string(c.remaining()) + " launches left");
      c.launch();
      ASSERT_FALSE(HasFatalFailure());
      ASSERT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
      reference::State merged = c.merged(c.allRanks()), alone = c.alone(),
                       formula = c.formula();
      EXPECT_EQ(c.maxQueryDifference(), 0);
      EXPECT_EQ(c.wrongRows(), 0);
      EXPECT_LE(relativeError(alone.o, formula.o), tolerance(dtype));
      EXPECT_LE(relativeError(merged.o, alone.o), tolerance(dtype));
      EXPECT_LE(relativeError(merged.lse, alone.lse), tolerance(dtype));
      EXPECT_LE(relativeError(merged.o, formula.o), tolerance(dtype));
      EXPECT_LE(relativeError(merged.lse, formula.lse), tolerance(dtype));
    }
  }

  /// A prompt, then steps of one token and of several; sequences of every
  /// length, also without a key, without a new token, and padding.
  static std::vector<LaunchSpec> raggedLaunches(Random &random) {
    return {{{19, random.integer(0, 40), 3, 0, 1}, random.integer(0, 2)},
            {{1, 1, 0, 1, 1}, random.integer(0, 3)},
            {{4, 0, 2, 3, 1}, 1}};
  }
};

TEST_F(ContextParallelTest, MetadataAgreesWithTheOracle) {
  int64_t owned = 0, foreign = 0;
  for (uint64_t seed = 0; seed < 40; ++seed)
    for (int64_t size : {2, 4, 8}) {
      Random random(seed);
      int64_t pageSize = random.pick<int64_t>({4, 16, 64});
      std::vector<int64_t> lengths, offsets = {0};
      int64_t numSeqs = random.integer(1, 4), mostKeys = 150;
      for (int64_t b = 0; b < numSeqs; ++b) {
        lengths.push_back(random.integer(0, mostKeys));
        offsets.push_back(offsets[b] +
                          random.integer(0, std::min<int64_t>(lengths[b], 9)));
      }
      int64_t tokens = offsets.back() + random.integer(0, 2);
      TestTensor kvLens(MLA_DTYPE_I32, {numSeqs}, lengths);
      TestTensor cuQ(MLA_DTYPE_I32, {numSeqs + 1}, offsets);
      int64_t pagesEach = mostKeys / pageSize + 1;
      TestTensor pageTable(
          MLA_DTYPE_I32, {numSeqs, pagesEach},
          random.choose(numSeqs * pagesEach, numSeqs * pagesEach + 3));
      for (int64_t interleave : {int64_t(1), int64_t(3), pageSize}) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", size " +
                     std::to_string(size) + ", interleave " +
                     std::to_string(interleave));
        Ownership owner = dealtOut(size, interleave, mostKeys);
        std::vector<double> lens(numSeqs), bounds(tokens), writers(tokens);
        for (int64_t rank = 0; rank < size; ++rank) {
          RankMetadata expected = metadataByOracle(owner, rank, lengths, cuQ,
                                                   pageTable, tokens, pageSize);
          RankMetadata got{
              TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}), {tokens},
                         Layout::Gapped, random),
              TestTensor(MLA_DTYPE_I64, {tokens}, Layout::Gapped, random),
              TestTensor(MLA_DTYPE_I32, {numSeqs}, Layout::Gapped, random),
              TestTensor(MLA_DTYPE_I32, {tokens}, Layout::Gapped, random)};
          auto params = makeParams<mla_slot_mapping_params>();
          params.kv_lens = kvLens.get();
          params.cu_q = cuQ.get();
          params.page_table = pageTable.get();
          params.positions = got.positions.get();
          params.slots = got.slots.get();
          params.local_kv_lens = got.localLens.get();
          params.kv_bounds = got.bounds.get();
          params.page_size = pageSize;
          params.cp_rank = rank;
          params.cp_size = size;
          params.cp_interleave = interleave;
          ASSERT_EQ(mla_slot_mapping(ctx, &params), MLA_STATUS_OK)
              << ctx.error();
          ASSERT_EQ(got.positions.array().data,
                    expected.positions.array().data);
          ASSERT_EQ(got.slots.array().data, expected.slots.array().data);
          ASSERT_EQ(got.localLens.array().data,
                    expected.localLens.array().data);
          ASSERT_EQ(got.bounds.array().data, expected.bounds.array().data);
          std::set<double> used;
          for (int64_t t = 0; t < tokens; ++t) {
            double slot = got.slots.at({t});
            bounds[t] += got.bounds.at({t});
            writers[t] += slot >= 0;
            (slot >= 0 ? owned : foreign) += 1;
            if (slot >= 0) {
              EXPECT_TRUE(used.insert(slot).second) << slot;
            }
          }
          for (int64_t b = 0; b < numSeqs; ++b)
            lens[b] += got.localLens.at({b});
        }
        // Together the ranks have every key once, and a token sees all keys up
        // to its own.
        EXPECT_EQ(lens, kvLens.array().data);
        for (int64_t b = 0; b < numSeqs; ++b)
          for (int64_t t = offsets[b]; t < offsets[b + 1]; ++t) {
            EXPECT_EQ(bounds[t], lengths[b] - (offsets[b + 1] - 1 - t));
            EXPECT_EQ(writers[t], 1);
          }
        for (int64_t t = offsets.back(); t < tokens; ++t)
          EXPECT_EQ(writers[t] + bounds[t], 0);
      }
    }
  EXPECT_GT(owned, 1000);
  EXPECT_GT(foreign, 1000);
}

/// What a test below varies: size, interleave, and the rotation of both phases.
struct Variant {
  int64_t size, interleave;
};

class ContextParallelForms : public ContextParallelTest,
                             public testing::WithParamInterface<Variant> {
protected:
  void compareAll(int64_t contextRope, int64_t generationRope) {
    for (uint64_t seed = 0; seed < 6; ++seed) {
      Random random(seed);
      ContextParallelSpec spec;
      spec.size = GetParam().size;
      spec.pageSize = random.pick<int64_t>({1, 4, 16, 64});
      // 0 stands for the page size.
      spec.interleave =
          GetParam().interleave ? GetParam().interleave : spec.pageSize;
      spec.dtype =
          seed % 2 ? uint32_t{MLA_DTYPE_BF16} : uint32_t{MLA_DTYPE_F32};
      spec.heads = random.pick<int64_t>({1, 3});
      if (seed >= 4)
        spec.peWidth = 0; // and so nothing to rotate
      spec.contextRope = contextRope;
      spec.generationRope = generationRope;
      SCOPED_TRACE("seed " + std::to_string(seed));
      ContextParallelCase c(ctx, seed, spec, raggedLaunches(random));
      compare(c, spec.dtype);
      if (HasFailure())
        return;
    }
  }
};

TEST_P(ContextParallelForms, Rotated) {
  compareAll(MLA_ROPE_INTERLEAVED, MLA_ROPE_INTERLEAVED);
  compareAll(MLA_ROPE_HALF, MLA_ROPE_HALF);
}

TEST_P(ContextParallelForms, NotRotated) {
  compareAll(MLA_ROPE_NONE, MLA_ROPE_NONE);
}

// Cached keys and new queries disagree then, for one rank as for several.
TEST_P(ContextParallelForms, RotatedInTheContextPhaseOnly) {
  compareAll(MLA_ROPE_INTERLEAVED, MLA_ROPE_NONE);
}

std::string nameOf(const testing::TestParamInfo<Variant> &info) {
  return "Size" + std::to_string(info.param.size) +
         (info.param.interleave
              ? "Interleave" + std::to_string(info.param.interleave)
              : "InterleavePage");
}

INSTANTIATE_TEST_SUITE_P(Ranks, ContextParallelForms,
                         testing::Values(Variant{2, 1}, Variant{4, 1},
                                         Variant{8, 1}, Variant{2, 3},
                                         Variant{4, 3}, Variant{8, 3},
                                         Variant{2, 0}, Variant{4, 0},
                                         Variant{8, 0}),
                         nameOf);

TEST_F(ContextParallelTest, RotationInOnePhaseIsSeen) {
  ContextParallelSpec spec;
  std::vector<LaunchSpec> launches = {{{30}, 0}, {{2}, 0}};
  ContextParallelCase both(ctx, 1, spec, launches);
  spec.generationRope = MLA_ROPE_NONE;
  ContextParallelCase one(ctx, 1, spec, launches);
  for (int i = 0; i < 2; ++i) {
    both.launch();
    one.launch();
  }
  EXPECT_GT(relativeError(one.merged({0, 1}).o, both.merged({0, 1}).o), 1e-2);
}

TEST_F(ContextParallelTest, RanksWithoutAKey) {
  ContextParallelSpec spec;
  spec.size = 8;
  spec.interleave = spec.pageSize = 16;
  // Of 16 keys only the first rank has any.
  ContextParallelCase c(ctx, 1, spec, {{{13, 2}, 1}, {{2, 1}, 1}});
  compare(c, spec.dtype);
  EXPECT_EQ(c.idleRanks(), 7);
  // Of the others everything is empty.
  reference::State idle = c.merged({1, 7});
  for (double value : idle.o.data)
    EXPECT_EQ(value, 0);
  for (double value : idle.lse.data)
    EXPECT_EQ(value, -std::numeric_limits<double>::infinity());
}

// Helix: who owns a key is the caller's business, who gives everything that
// depends on it.
TEST_F(ContextParallelTest, KeysOfArbitraryOwners) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    ContextParallelSpec spec;
    spec.size = random.pick<int64_t>({2, 4, 8});
    spec.pageSize = random.pick<int64_t>({1, 4, 16});
    spec.dtype = seed % 2 ? uint32_t{MLA_DTYPE_BF16} : uint32_t{MLA_DTYPE_F32};
    if (seed % 3 == 0)
      spec.peWidth = 0;
    if (seed % 4 == 3)
      spec.generationRope = MLA_ROPE_NONE;
    // Runs of any length to any rank, others in each sequence.
    std::vector<std::vector<int64_t>> owners(5);
    for (auto &positions : owners)
      while (positions.size() < 100)
        positions.insert(positions.end(), random.integer(1, 13),
                         random.integer(0, spec.size - 1));
    spec.owner = [owners](int64_t b, int64_t p) { return owners[b][p]; };
    SCOPED_TRACE("seed " + std::to_string(seed));
    ContextParallelCase c(ctx, seed, spec, raggedLaunches(random));
    compare(c, spec.dtype);
    if (HasFailure())
      return;
  }
}

TEST_F(ContextParallelTest, OneRankOwnsAllNewKeys) {
  // As in Helix's generation: one rank at a time is active.
  ContextParallelSpec spec;
  spec.size = 4;
  spec.owner = [](int64_t, int64_t p) { return p < 20 ? p % 3 : 3; };
  ContextParallelCase c(ctx, 5, spec,
                        {{{20, 11}, 0}, {{1, 9}, 0}, {{3, 0}, 2}});
  compare(c, spec.dtype);
}

TEST_F(ContextParallelTest, EveryRankCountsOnce) {
  ContextParallelSpec spec;
  spec.size = 4;
  spec.interleave = 2;
  ContextParallelCase c(ctx, 7, spec, {{{25, 9}, 0}, {{3, 1}, 0}});
  compare(c, spec.dtype);
  reference::State alone = c.alone();
  EXPECT_LE(relativeError(c.merged({2, 0, 3, 1}).o, alone.o), 1e-5);
  EXPECT_GT(relativeError(c.merged({0, 1, 2}).o, alone.o), 1e-3);
  EXPECT_GT(relativeError(c.merged({0, 1, 2, 3, 3}).o, alone.o), 1e-3);
}

} // namespace
