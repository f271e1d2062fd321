//===- rope_test.cpp - mla_rope -------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/rope.h"

using namespace mla;
using namespace mla::test;
using reference::RopeStyle;

namespace {

class RopeTest : public OpTest {
protected:
  void run(const TestTensor &x, const TestTensor &y, int64_t style) {
    auto params = makeParams<mla_rope_params>();
    params.x = x.get();
    params.y = y.get();
    params.cos_sin = style ? table.get() : nullptr;
    params.positions = style ? positions.get() : nullptr;
    params.rope_style = style;
    ASSERT_EQ(mla_rope(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  void makeTable(Random &random, int64_t tokens, int64_t width) {
    table = TestTensor(MLA_DTYPE_F32, {50, width}, Layout::Gapped, random);
    table.fillRandom(random);
    positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                           {tokens}, Layout::Gapped, random);
    positions.forEach([&](const Shape &index) {
      positions.set(index, static_cast<double>(random.integer(0, 49)));
    });
  }

  TestTensor table, positions;
};

TEST_F(RopeTest, RotatesAsTheFormulaSays) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    int64_t width = random.pick<int64_t>({2, 32, 64, 128});
    Shape shape = {random.integer(0, 37)};
    for (int64_t i = random.integer(0, 2); i > 0; --i)
      shape.push_back(random.integer(1, 5));
    shape.push_back(width);
    uint32_t dtype =
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    uint32_t outType = random.chance(0.5) ? dtype : uint32_t{MLA_DTYPE_F32};
    makeTable(random, shape[0], width);
    TestTensor x(dtype, shape, Layout::Gapped, random);
    TestTensor y(outType, shape, Layout::Gapped, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + x.describe());
    x.fillRandom(random);
    bool half = random.chance(0.5);
    Canary input(x), output(y);
    output.allow(y);
    run(x, y, half ? MLA_ROPE_HALF : MLA_ROPE_INTERLEAVED);
    EXPECT_EQ(input.damage(), 0);
    EXPECT_EQ(output.damage(), 0);
    auto expected = [&](RopeStyle style) {
      return reference::rope(x.array(), table.array(), positions.array(),
                             style);
    };
    RopeStyle right = half ? RopeStyle::Half : RopeStyle::Interleaved;
    RopeStyle wrong = half ? RopeStyle::Interleaved : RopeStyle::Half;
    EXPECT_LE(relativeError(y.array(), expected(right)), tolerance(outType));
    if (width > 2 && shape[0] > 0) {
      EXPECT_GT(relativeError(y.array(), expected(wrong)), 0.1);
      EXPECT_GT(relativeError(y.array(), expected(RopeStyle::None)), 0.1);
    }
  }
}

// Rows that a GPU moves by 16 bytes; of a width of 24 no whole packets are.
TEST_F(RopeTest, RotatesDenseRows) {
  for (int64_t width : {16, 24, 32, 64, 128})
    for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16})
      for (RopeStyle style : {RopeStyle::Half, RopeStyle::Interleaved}) {
        Random random(width);
        makeTable(random, 7, width);
        TestTensor dense(MLA_DTYPE_F32, {50, width}, Layout::Dense, random);
        dense.assign(table.array());
        table = dense;
        TestTensor x(dtype, {7, 20, width}, Layout::Dense, random);
        TestTensor y(dtype, {7, 20, width}, Layout::Dense, random);
        SCOPED_TRACE(x.describe());
        x.fillRandom(random);
        run(x, y,
            style == RopeStyle::Half ? MLA_ROPE_HALF : MLA_ROPE_INTERLEAVED);
        reference::Array expected =
            reference::rope(x.array(), table.array(), positions.array(), style);
        EXPECT_LE(relativeError(y.array(), expected), tolerance(dtype));
      }
}

TEST_F(RopeTest, RotatesInPlace) {
  Random random(7);
  makeTable(random, 5, 64);
  TestTensor x(MLA_DTYPE_F32, {5, 3, 64}, Layout::Gapped, random);
  x.fillRandom(random);
  auto expected = reference::rope(x.array(), table.array(), positions.array(),
                                  RopeStyle::Interleaved);
  run(x, x, MLA_ROPE_INTERLEAVED);
  EXPECT_LE(relativeError(x.array(), expected), 1e-5);
}

TEST_F(RopeTest, CopiesBitForBitWithoutARotation) {
  Random random(8);
  TestTensor x(MLA_DTYPE_BF16, {5, 3, 64}, Layout::Gapped, random);
  TestTensor y(MLA_DTYPE_BF16, {5, 3, 64}, Layout::Gapped, random);
  x.fillRandom(random); // and NaNs with a payload:
  x.address({1, 2, 3})[0] = 0xA5;
  x.address({1, 2, 3})[1] = 0x7F;
  run(x, y, MLA_ROPE_NONE);
  EXPECT_TRUE(y.sameBits(x));
  y.set({4, 2, 63}, 2);
  EXPECT_FALSE(y.sameBits(x));
}

TEST_F(RopeTest, ReportsAPositionOutsideTheTable) {
  for (int64_t bad : {int64_t{-1}, int64_t{50}, int64_t{1} << 40}) {
    Random random(9);
    makeTable(random, 3, 64);
    positions = TestTensor(MLA_DTYPE_I64, {3}, {3, bad, 4});
    TestTensor x(MLA_DTYPE_F32, {3, 64}, Layout::Dense, random);
    TestTensor y(MLA_DTYPE_F32, {3, 64}, Layout::Dense, random);
    x.fillRandom(random);
    run(x, y, MLA_ROPE_HALF);
    expectFault("positions", std::to_string(bad));
    // The other tokens are as they should be.
    positions = TestTensor(MLA_DTYPE_I64, {3}, {3, 3, 4});
    auto expected = reference::rope(x.array(), table.array(), positions.array(),
                                    RopeStyle::Half);
    for (int64_t t : {0, 2})
      EXPECT_NEAR(y.at({t, 5}), expected.at(t, 5), 1e-6);
  }
}

} // namespace
