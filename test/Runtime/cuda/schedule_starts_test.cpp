//===- schedule_starts_test.cpp - Where a schedule's parts begin ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Against a line of all items' units that is written out one by one, see
// runtime/cuda/AttentionSplit.h.
//
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "reference/schedule.h"

#include <algorithm>

using namespace mla;
using namespace mla::test;

namespace {

// Elements of a schedule.
const int64_t ctasAt = 4, lanesAt = 6, partsAt = 7, startsAt = 16;
const int64_t blockKeys = 64, tileRows = 64, tileCost = 4, mergeCost = 4;

struct Start {
  int64_t sequence, item, block;
  bool operator==(const Start &other) const {
    return sequence == other.sequence && item == other.item &&
           block == other.block;
  }
};

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Batch {
  std::vector<int64_t> lengths, tokens;
  int64_t heads;
};

struct Expected {
  int64_t lanes, parts;
  int64_t pieces; ///< Of each item; 0: parts are those of a line.
  std::vector<Start> starts;
};

Expected expect(const Batch &batch, int64_t ctas) {
  auto seqs = static_cast<int64_t>(batch.lengths.size());
  int64_t tokens = 0;
  for (int64_t count : batch.tokens)
    tokens += count;
  Expected expected;
  expected.lanes = std::max<int64_t>(
      std::min({ceilDiv(ceilDiv(tokens, seqs) * batch.heads, tileRows),
                int64_t{8}, ctas}),
      1);
  struct Item {
    Start start;
    int64_t blocks;
  };
  std::vector<Item> items;
  for (int64_t b = 0; b < seqs; ++b) {
    int64_t tiles = ceilDiv(batch.tokens[b] * batch.heads, tileRows);
    for (int64_t i = 0; i < ceilDiv(tiles, expected.lanes); ++i)
      items.push_back({{b, i, 0}, ceilDiv(batch.lengths[b], blockKeys)});
  }
  int64_t most = std::max<int64_t>(ctas / expected.lanes, 1);
  auto count = static_cast<int64_t>(items.size());
  int64_t total = 0;
  bool areEqual = count > 0;
  for (const Item &item : items) {
    total += item.blocks + tileCost;
    areEqual = areEqual && item.blocks == items[0].blocks;
  }
  int64_t pieces = 0;
  if (areEqual && count <= most && items[0].blocks > 0) {
    pieces = std::min(most / count, items[0].blocks);
    if (ceilDiv(items[0].blocks, pieces) > total / most + mergeCost)
      pieces = 0;
  }
  std::vector<Start> line;
  for (const Item &item : items) {
    if (pieces == 0)
      line.insert(line.end(), tileCost, item.start);
    for (int64_t block = 0; block < item.blocks; ++block)
      line.push_back({item.start.sequence, item.start.item, block});
  }
  total = static_cast<int64_t>(line.size());
  expected.pieces = pieces;
  expected.parts = pieces > 0
                       ? count * pieces
                       : std::max<int64_t>(std::min<int64_t>(most, total), 1);
  line.push_back({seqs, 0, 0});
  for (int64_t k = 0; k <= expected.parts; ++k)
    expected.starts.push_back(line[k * total / expected.parts]);
  return expected;
}

class ScheduleStartsTest : public OpTest {
protected:
  /// The longest part less the shortest, in blocks, where no part has blocks of
  /// two items; else 0.
  int64_t expectRight(const Batch &batch) {
    auto seqs = static_cast<int64_t>(batch.lengths.size());
    Random random(seqs);
    TestTensor kvLens(MLA_DTYPE_I32, {seqs}, Layout::Dense, random);
    TestTensor cuQ(MLA_DTYPE_I32, {seqs + 1}, Layout::Dense, random);
    TestTensor schedule(MLA_DTYPE_I32, {reference::scheduleSize(seqs)},
                        Layout::Dense, random);
    int64_t begin = 0;
    cuQ.set({0}, 0);
    for (int64_t b = 0; b < seqs; ++b) {
      kvLens.set({b}, static_cast<double>(batch.lengths[b]));
      cuQ.set({b + 1}, static_cast<double>(begin += batch.tokens[b]));
    }
    auto params = makeParams<mla_schedule_params>();
    params.kv_lens = kvLens.get();
    params.cu_q = cuQ.get();
    params.schedule = schedule.get();
    params.num_heads = batch.heads;
    params.page_size = blockKeys;
    EXPECT_EQ(mla_schedule(ctx, &params), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
    auto at = [&](int64_t i) { return static_cast<int64_t>(schedule.at({i})); };
    Expected expected = expect(batch, at(ctasAt));
    EXPECT_EQ(at(lanesAt), expected.lanes);
    EXPECT_EQ(at(partsAt), expected.parts);
    int64_t least = INT64_MAX, most = 0;
    for (int64_t k = 0; k <= expected.parts; ++k) {
      int64_t i = startsAt + 3 * k;
      Start start = {at(i), at(i + 1), at(i + 2)}, right = expected.starts[k];
      EXPECT_TRUE(start == right)
          << "part " << k << " of " << expected.parts << ", " << seqs
          << " sequences, " << batch.heads << " heads: expected sequence "
          << right.sequence << ", item " << right.item << ", block "
          << right.block << ", got " << start.sequence << ", " << start.item
          << ", " << start.block;
      if (expected.pieces == 0 || k == expected.parts)
        continue;
      int64_t next = at(i + 5);
      int64_t end =
          next > 0 ? next : ceilDiv(batch.lengths[right.sequence], blockKeys);
      least = std::min(least, end - start.block);
      most = std::max(most, end - start.block);
    }
    if (expected.pieces == 0)
      return 0;
    return most - least;
  }
};

TEST_F(ScheduleStartsTest, EqualItemsAreCutIntoEqualPieces) {
  for (int64_t seqs : {1, 3, 4, 16, 32, 60})
    for (int64_t heads : {16, 64, 128})
      for (int64_t length : {1, 640, 8192, 8200})
        EXPECT_LE(expectRight({std::vector<int64_t>(seqs, length),
                               std::vector<int64_t>(seqs, 1), heads}),
                  1)
            << seqs << " sequences of " << length << " keys, " << heads
            << " heads";
}

TEST_F(ScheduleStartsTest, OthersIntoEqualPartsOfALine) {
  Random random(7);
  for (int round = 0; round < 60; ++round) {
    Batch batch;
    batch.heads = random.pick<int64_t>({1, 16, 20, 64, 128});
    int64_t seqs = random.pick<int64_t>({1, 2, 5, 31, 200, 1023, 1024, 2500});
    int64_t longest = seqs > 500 ? 300 : random.pick<int64_t>({0, 70, 20000});
    for (int64_t b = 0; b < seqs; ++b) {
      batch.lengths.push_back(random.chance(0.1) ? 0
                                                 : random.integer(0, longest));
      batch.tokens.push_back(random.chance(0.1) ? 0 : random.integer(1, 5));
    }
    expectRight(batch);
  }
}

// A thread of the kernel then has several, most of which have no item.
TEST_F(ScheduleStartsTest, AFewEqualOnesAmongManyWithoutTokens) {
  for (int64_t every : {31, 50, 1000}) {
    Batch batch = {{}, {}, 64};
    for (int64_t b = 0; b < 3000; ++b) {
      bool isOne = b % every == every / 2;
      batch.lengths.push_back(isOne ? 8192 : b % 700);
      batch.tokens.push_back(isOne);
    }
    EXPECT_LE(expectRight(batch), 1) << "one of " << every;
  }
}

TEST_F(ScheduleStartsTest, EqualOnesOfVeryManyToo) {
  for (int64_t seqs : {128, 131, 133, 300, 1025, 4000})
    expectRight(
        {std::vector<int64_t>(seqs, 130), std::vector<int64_t>(seqs, 1), 16});
}

} // namespace
