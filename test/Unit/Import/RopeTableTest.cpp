//===- RopeTableTest.cpp - Rotary tables against their formulas -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The default and the YaRN tables are compared with the models' own in
// GoldenTest.
//
//===----------------------------------------------------------------------===//

#include "mla/Import/RopeTable.h"

#include "gtest/gtest.h"

#include <cmath>

namespace mla {
namespace {

AttentionCoreSpec specOf(const RopeParameters &rope, int64_t width) {
  AttentionCoreSpec spec;
  spec.qkRopeHeadDim = width;
  spec.rotated = true;
  spec.rope = rope;
  return spec;
}

RopeParameters defaultRope() {
  RopeParameters rope;
  rope.theta = 10000;
  return rope;
}

TEST(RopeTable, Layout) {
  std::vector<float> table = computeRopeTable(specOf(defaultRope(), 8), 3);
  ASSERT_EQ(table.size(), 24u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(table[i], 1.0f);
    EXPECT_EQ(table[4 + i], 0.0f);
    double frequency = std::pow(10000.0, -2.0 * i / 8);
    EXPECT_NEAR(table[16 + i], std::cos(2 * frequency), 1e-6);
    EXPECT_NEAR(table[20 + i], std::sin(2 * frequency), 1e-6);
  }
}

TEST(RopeTable, AnglesAreRoundedToF32) {
  // At a far position the rounding decides the angle; frameworks round.
  RopeParameters rope = defaultRope();
  std::vector<float> frequencies = getRopeFrequencies(rope, 64, 100000);
  std::vector<float> table = computeRopeTable(specOf(rope, 64), 100000);
  const float *row = table.data() + size_t(99999) * 64;
  double exact = 99999 * std::pow(10000.0, -2.0 / 64);
  float rounded = 99999.0f * frequencies[1];
  EXPECT_EQ(row[1], static_cast<float>(std::cos(static_cast<double>(rounded))));
  EXPECT_GT(std::fabs(row[1] - std::cos(exact)), 1e-4);
}

TEST(RopeTable, Linear) {
  RopeParameters rope = defaultRope();
  rope.kind = RopeScalingKind::Linear;
  rope.factor = 4;
  std::vector<float> slow = computeRopeTable(specOf(rope, 16), 9);
  std::vector<float> plain = computeRopeTable(specOf(defaultRope(), 16), 3);
  for (int i = 0; i < 16; ++i)
    EXPECT_FLOAT_EQ(slow[8 * 16 + i], plain[2 * 16 + i]);
  EXPECT_EQ(getRopeAttentionFactor(rope, 9), 1);
}

TEST(RopeTable, YarnEndsAndMiddle) {
  RopeParameters rope = defaultRope();
  rope.kind = RopeScalingKind::YaRN;
  rope.factor = 40;
  rope.originalMaxPositions = 4096;
  std::vector<float> frequencies = getRopeFrequencies(rope, 64, 4096);
  auto plain = [](int i) { return std::pow(10000.0, -2.0 * i / 64); };
  // Columns that turn more than 32 times over 4096 positions stay (i <= 10),
  // those that turn less than once are stretched (i >= 23), the ramp between is
  // linear.
  for (int i = 0; i < 32; ++i) {
    double ramp = std::min(1.0, std::max(0.0, (i - 10) / 13.0));
    double expected = plain(i) * ((1 - ramp) + ramp / 40);
    EXPECT_NEAR(frequencies[i] / expected, 1, 1e-5) << i;
  }
}

TEST(RopeTable, YarnFactors) {
  EXPECT_EQ(getYarnMscale(1, 1), 1);
  EXPECT_EQ(getYarnMscale(0.5, 1), 1);
  EXPECT_DOUBLE_EQ(getYarnMscale(40, 0.707), 0.0707 * std::log(40.0) + 1);

  RopeParameters rope = defaultRope();
  rope.kind = RopeScalingKind::YaRN;
  rope.factor = 40;
  rope.originalMaxPositions = 4096;
  double whole = 0.1 * std::log(40.0) + 1;
  EXPECT_DOUBLE_EQ(getRopeAttentionFactor(rope, 1), whole);
  rope.mscale = rope.mscaleAllDim = 1;
  EXPECT_DOUBLE_EQ(getRopeAttentionFactor(rope, 1), 1);
  rope.mscaleAllDim = 0.707;
  EXPECT_DOUBLE_EQ(getRopeAttentionFactor(rope, 1),
                   whole / getYarnMscale(40, 0.707));
  rope.attentionFactor = 1.5;
  EXPECT_EQ(getRopeAttentionFactor(rope, 1), 1.5);
  // The factor is in the table.
  std::vector<float> table = computeRopeTable(specOf(rope, 64), 1);
  EXPECT_EQ(table[0], 1.5f);
  EXPECT_EQ(table[32], 0.0f);
}

TEST(RopeTable, LongRoPE) {
  RopeParameters rope = defaultRope();
  rope.kind = RopeScalingKind::LongRoPE;
  rope.originalMaxPositions = 8;
  rope.factor = 4;
  rope.shortFactor = {1, 2};
  rope.longFactor = {3, 5};
  std::vector<float> near = getRopeFrequencies(rope, 4, 8);
  std::vector<float> far = getRopeFrequencies(rope, 4, 9);
  EXPECT_FLOAT_EQ(near[0], 1.0f);
  EXPECT_FLOAT_EQ(near[1], 0.005f);
  EXPECT_FLOAT_EQ(far[0], 1.0f / 3);
  EXPECT_FLOAT_EQ(far[1], 0.002f);
  EXPECT_DOUBLE_EQ(getRopeAttentionFactor(rope, 9),
                   std::sqrt(1 + std::log(4.0) / std::log(8.0)));
  rope.factor = 1;
  EXPECT_EQ(getRopeAttentionFactor(rope, 9), 1);
}

} // namespace
} // namespace mla
