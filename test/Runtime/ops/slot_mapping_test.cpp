//===- slot_mapping_test.cpp - mla_slot_mapping ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/slot_mapping.h"

using namespace mla;
using namespace mla::test;

namespace {

class SlotMappingTest : public OpTest {
protected:
  void allocate(Random &random, int64_t tokens, int64_t numSeqs) {
    positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                           {tokens}, Layout::Gapped, random);
    slots = TestTensor(MLA_DTYPE_I64, {tokens}, Layout::Gapped, random);
    localLens = TestTensor(MLA_DTYPE_I32, {numSeqs}, Layout::Gapped, random);
    bounds = TestTensor(MLA_DTYPE_I32, {tokens}, Layout::Gapped, random);
  }

  void run(const TestTensor &kvLens, const TestTensor &cuQ,
           const TestTensor &pageTable, int64_t pageSize, int64_t rank = 0,
           int64_t size = 0, int64_t interleave = 0) {
    auto params = makeParams<mla_slot_mapping_params>();
    params.kv_lens = kvLens.get();
    params.cu_q = cuQ.get();
    params.page_table = pageTable.get();
    params.positions = positions.get();
    params.slots = slots.get();
    params.local_kv_lens = localLens.get();
    params.kv_bounds = bounds.get();
    params.page_size = pageSize;
    params.cp_rank = rank;
    params.cp_size = size;
    params.cp_interleave = interleave;
    ASSERT_EQ(mla_slot_mapping(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  TestTensor positions, slots, localLens, bounds;
};

TEST_F(SlotMappingTest, MapsRaggedBatches) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    CacheSpec spec;
    spec.latentWidth = 1;
    spec.peWidth = 0;
    spec.pageSize = random.pick<int64_t>({1, 8, 16, 32, 64, 128});
    PagedBatch batch = randomBatch(random, spec, random.integer(0, 5), 300, 37);
    int64_t size = random.pick<int64_t>({1, 1, 2, 3, 4});
    int64_t rank = random.integer(0, size - 1);
    int64_t interleave = random.pick<int64_t>({1, 2, 16});
    SCOPED_TRACE("seed " + std::to_string(seed) + ": rank " +
                 std::to_string(rank) + " of " + std::to_string(size) +
                 ", interleave " + std::to_string(interleave));
    allocate(random, batch.numTokens, batch.numSeqs);
    Canary guardPositions(positions), guardSlots(slots), guardLens(localLens),
        guardBounds(bounds);
    guardPositions.allow(positions);
    guardSlots.allow(slots);
    guardLens.allow(localLens);
    guardBounds.allow(bounds);
    run(batch.kvLens, batch.cuQ, batch.pageTable, spec.pageSize, rank, size,
        interleave);
    reference::SlotMapping expected = reference::slotMapping(
        batch.kvLens.array(), batch.cuQ.array(), batch.pageTable.array(),
        batch.numTokens, spec.pageSize, rank, size, interleave);
    EXPECT_EQ(positions.array().data, expected.positions.data);
    EXPECT_EQ(slots.array().data, expected.slots.data);
    EXPECT_EQ(localLens.array().data, expected.localKvLens.data);
    EXPECT_EQ(bounds.array().data, expected.kvBounds.data);
    EXPECT_EQ(guardPositions.damage() + guardSlots.damage() +
                  guardLens.damage() + guardBounds.damage(),
              0);
  }
}

TEST_F(SlotMappingTest, AnExampleByHand) {
  // 5 and 3 keys, of which 2 and 1 are new; pages of 2; one token of padding.
  Random random(1);
  TestTensor kvLens(MLA_DTYPE_I32, {2}, {5, 3});
  TestTensor cuQ(MLA_DTYPE_I32, {3}, {0, 2, 3});
  TestTensor pageTable(MLA_DTYPE_I32, {2, 3}, {7, 4, 9, 2, 0, -1});
  allocate(random, 4, 2);
  run(kvLens, cuQ, pageTable, 2);
  EXPECT_EQ(positions.array().data, (std::vector<double>{3, 4, 2, 0}));
  EXPECT_EQ(slots.array().data, (std::vector<double>{9, 18, 0, -1}));
  EXPECT_EQ(localLens.array().data, (std::vector<double>{5, 3}));
  EXPECT_EQ(bounds.array().data, (std::vector<double>{4, 5, 3, 0}));
  // Rank 1 of 2, positions in turns of 2: it owns 2 and 3, keys 0 and 1 there.
  run(kvLens, cuQ, pageTable, 2, 1, 2, 2);
  EXPECT_EQ(positions.array().data, (std::vector<double>{3, 4, 2, 0}));
  EXPECT_EQ(slots.array().data, (std::vector<double>{15, -1, 4, -1}));
  EXPECT_EQ(localLens.array().data, (std::vector<double>{2, 1}));
  EXPECT_EQ(bounds.array().data, (std::vector<double>{2, 2, 1, 0}));
}

TEST_F(SlotMappingTest, ReportsALengthBeyondARanksShare) {
  Random random(3);
  TestTensor cuQ(MLA_DTYPE_I32, {2}, {0, 1});
  TestTensor pageTable(MLA_DTYPE_I32, {1, 2}, {0, 1});
  allocate(random, 1, 1);
  // Rank 1 of 3, in turns of 2: its 8 rows are the positions 2, 3, 8, 9, 14,
  // 15, 20 and 21; the next one would be 26.
  for (int64_t length : {26, 27}) {
    run(TestTensor(MLA_DTYPE_I32, {1}, {length}), cuQ, pageTable, 4, 1, 3, 2);
    if (length == 27)
      expectFault("kv_lens: expected a value in [1, 27)", "27");
    else
      EXPECT_EQ(localLens.array().data, (std::vector<double>{8}));
  }
}

TEST_F(SlotMappingTest, ReportsLengthsOffsetsAndPagesThatCantBe) {
  struct {
    std::vector<int64_t> kvLens, cuQ, pages;
    const char *what, *value;
  } cases[] = {
      {{-1, 3}, {0, 1, 3}, {0, 1, 2, 3}, "kv_lens", "-1"},
      {{9, 3}, {0, 1, 3}, {0, 1, 2, 3}, "kv_lens", "9"},
      // A sequence holds its two new tokens.
      {{1, 3},
       {0, 2, 3},
       {0, 1, 2, 3},
       "kv_lens: expected a value in [2, ",
       "1"},
      {{4, 3}, {0, 2, 5}, {0, 1, 2, 3}, "cu_q", "5"},
      {{4, 3},
       {0, 2, 1},
       {0, 1, 2, 3},
       "cu_q: expected a value in [2, 4)",
       "1"},
      {{4, 3}, {-4, 2, 3}, {0, 1, 2, 3}, "cu_q", "-4"},
      {{4, 3}, {0, 2, 3}, {-5, 1, 2, 3}, "page_table", "-5"},
  };
  for (const auto &c : cases) {
    SCOPED_TRACE(std::string(c.what) + " " + c.value);
    Random random(2);
    allocate(random, 3, 2);
    Canary guard(slots);
    guard.allow(slots);
    run(TestTensor(MLA_DTYPE_I32, {2}, c.kvLens),
        TestTensor(MLA_DTYPE_I32, {3}, c.cuQ),
        TestTensor(MLA_DTYPE_I32, {2, 2}, c.pages), 4);
    expectFault(c.what, c.value);
    EXPECT_EQ(guard.damage(), 0);
    // Harmless: nothing that a later operation would follow.
    for (double slot : slots.array().data)
      EXPECT_TRUE(slot >= -1 && slot < 16) << slot;
  }
}

} // namespace
