//===- CopyRowsTest.cpp - Tests of the CPU's plain copy of rows -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CopyShapes.h"
#include "CpuTeam.h"

#include <gtest/gtest.h>

using namespace mla::bench;

namespace {

/// Byte by byte, as Transfer says.
void copyBytes(const Transfer &t) {
  for (int64_t token = 0; token < t.tokens; ++token)
    for (int64_t row = 0; row < t.rows; ++row)
      for (int64_t byte = 0; t.to && byte < t.writeBytes; ++byte) {
        int64_t source = t.fromIndex ? t.fromIndex[token] : token;
        int64_t target = t.toIndex ? t.toIndex[token] : token;
        char value = 0;
        if (t.from && byte < t.readBytes)
          value = static_cast<const char *>(
              t.from)[source * t.fromToken + row * t.fromRow + byte];
        static_cast<char *>(t.to)[target * t.toToken + row * t.toRow + byte] =
            value;
      }
}

int64_t countDifferences(const std::vector<char> &a,
                         const std::vector<char> &b) {
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    count += a[i] != b[i];
  return count;
}

TEST(CopyRowsTest, MovesAllThatIsSaidAndNothingElse) {
  CopyImage expected(copyRegion, 8, copyTokens);
  const std::vector<char> before = expected.to;
  for (const Transfer &t : copyShapes(expected.from.data(), expected.to.data(),
                                      expected.index.data()))
    copyBytes(t);
  EXPECT_GT(countDifferences(expected.to, before), 50000);

  for (int threads : {1, 2, 5}) {
    CopyImage image(copyRegion, 8, copyTokens);
    std::vector<Transfer> transfers =
        copyShapes(image.from.data(), image.to.data(), image.index.data());
    Team team(threads);
    team.run([&](int thread) { moveRows(transfers, thread, threads); });
    EXPECT_EQ(countDifferences(image.to, expected.to), 0) << threads;
    EXPECT_EQ(countDifferences(image.from, expected.from), 0) << threads;
  }
}

TEST(CopyRowsTest, MovesNothingOfNoTokens) {
  Transfer none;
  none.readBytes = none.writeBytes = 16;
  char byte = 1;
  none.from = none.to = &byte;
  moveRows({none}, 0, 1);
  EXPECT_EQ(byte, 1);
}

TEST(TeamTest, RunsEveryThreadOnceARound) {
  Team team(3);
  std::vector<int> counts(3);
  for (int i = 0; i < 100; ++i)
    team.run([&](int thread) { ++counts[static_cast<size_t>(thread)]; });
  EXPECT_EQ(counts, std::vector<int>(3, 100));
}

} // namespace
