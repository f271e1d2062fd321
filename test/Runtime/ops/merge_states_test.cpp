//===- merge_states_test.cpp - mla_merge_states ---------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/merge_states.h"

using namespace mla;
using namespace mla::test;

namespace {

const double none = -std::numeric_limits<double>::infinity();

class MergeStatesTest : public OpTest {
protected:
  void run(const TestTensor &oStates, const TestTensor &lseStates,
           const TestTensor &o, const TestTensor &lse) {
    auto params = makeParams<mla_merge_states_params>();
    params.o_states = oStates.get();
    params.lse_states = lseStates.get();
    params.o = o.get();
    params.lse = lse.get();
    ASSERT_EQ(mla_merge_states(ctx, &params), MLA_STATUS_OK) << ctx.error();
  }

  struct States {
    TestTensor o, lse;
  };

  /// Random states of which some are empty: of those o is 0, or with
  /// `poisonEmpty` NaN.
  static States make(Random &random, const Shape &shape, uint32_t dtype,
                     bool poisonEmpty, Layout layout = Layout::Gapped) {
    Shape heads(shape.begin(), shape.end() - 1);
    States states{TestTensor(dtype, shape, layout, random),
                  TestTensor(MLA_DTYPE_F32, heads, Layout::Gapped, random)};
    states.o.fillRandom(random);
    states.lse.fillRandom(random, -20, 20);
    states.lse.forEach([&](const Shape &index) {
      if (!random.chance(0.3))
        return;
      states.lse.set(index, none);
      Shape element = index;
      element.push_back(0);
      for (; element.back() < shape.back(); ++element.back())
        states.o.set(element, poisonEmpty ? std::nan("") : 0);
    });
    return states;
  }
};

TEST_F(MergeStatesTest, AddsUp) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    int64_t number = random.integer(0, 5), tokens = random.integer(0, 9),
            heads = random.integer(1, 9), width = random.integer(1, 70);
    States states = make(
        random, {number, tokens, heads, width},
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}), false);
    States acc = make(random, {tokens, heads, width}, MLA_DTYPE_F32, false);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + states.o.describe());
    reference::State expected{acc.o.array(), acc.lse.array()};
    reference::State before = expected;
    reference::mergeStates({states.o.array(), states.lse.array()}, expected);
    Canary o(acc.o), lse(acc.lse), in(states.o);
    o.allow(acc.o);
    lse.allow(acc.lse);
    run(states.o, states.lse, acc.o, acc.lse);
    EXPECT_EQ(o.damage() + lse.damage() + in.damage(), 0);
    EXPECT_LE(relativeError(acc.o.array(), expected.o), 1e-5);
    EXPECT_LE(relativeError(acc.lse.array(), expected.lse), 1e-5);
    if (number > 2 && tokens > 2) {
      EXPECT_GT(relativeError(acc.o.array(), before.o), 1e-3);
    }
  }
}

TEST_F(MergeStatesTest, AddsUpDenseRows) {
  for (int64_t width : {8, 128, 448, 512})
    for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
      Random random(width);
      States states =
          make(random, {3, 4, 5, width}, dtype, true, Layout::Dense);
      States acc =
          make(random, {4, 5, width}, MLA_DTYPE_F32, false, Layout::Dense);
      SCOPED_TRACE(states.o.describe());
      // The formula multiplies what is empty, too.
      TestTensor o(dtype, {3, 4, 5, width}, Layout::Dense, random);
      o.assign(states.o.array());
      o.forEach([&](const Shape &index) {
        if (std::isnan(o.at(index)))
          o.set(index, 0);
      });
      reference::State expected{acc.o.array(), acc.lse.array()};
      reference::mergeStates({o.array(), states.lse.array()}, expected);
      run(states.o, states.lse, acc.o, acc.lse);
      EXPECT_LE(relativeError(acc.o.array(), expected.o), 1e-5);
      EXPECT_LE(relativeError(acc.lse.array(), expected.lse), 1e-5);
    }
}

TEST_F(MergeStatesTest, AnEmptyStateTakesNoPart) {
  Random random(1);
  States states = make(random, {4, 5, 3, 16}, MLA_DTYPE_F32, true);
  States acc = make(random, {5, 3, 16}, MLA_DTYPE_F32, true);
  run(states.o, states.lse, acc.o, acc.lse);
  acc.lse.forEach([&](const Shape &index) {
    if (acc.lse.at(index) != none) {
      EXPECT_FALSE(std::isnan(acc.o.at({index[0], index[1], 3})));
    }
  });
}

TEST_F(MergeStatesTest, EmptyStatesLeaveEveryBit) {
  Random random(2);
  States acc = make(random, {5, 3, 16}, MLA_DTYPE_F32, false);
  Canary o(acc.o), lse(acc.lse);
  States empty = make(random, {4, 5, 3, 16}, MLA_DTYPE_F32, false);
  empty.lse.fill(none);
  run(empty.o, empty.lse, acc.o, acc.lse);
  States no = make(random, {0, 5, 3, 16}, MLA_DTYPE_F32, false);
  run(no.o, no.lse, acc.o, acc.lse);
  EXPECT_EQ(o.damage() + lse.damage(), 0);
}

TEST_F(MergeStatesTest, TheOrderDoesNotMatter) {
  Random random(3);
  States states = make(random, {3, 5, 3, 16}, MLA_DTYPE_F32, false);
  States a = make(random, {5, 3, 16}, MLA_DTYPE_F32, false);
  States b = make(random, {5, 3, 16}, MLA_DTYPE_F32, false);
  b.o.assign(a.o.array());
  b.lse.assign(a.lse.array());
  run(states.o, states.lse, a.o, a.lse);
  for (int64_t s : {2, 0, 1})
    run(states.o.rows(s, 1), states.lse.rows(s, 1), b.o, b.lse);
  EXPECT_LE(relativeError(a.o.array(), b.o.array()), 1e-5);
  EXPECT_LE(relativeError(a.lse.array(), b.lse.array()), 1e-5);
}

TEST_F(MergeStatesTest, FarApart) {
  // exp(lse) overflows, and one state outweighs the other entirely.
  Random random(4);
  TestTensor o(MLA_DTYPE_F32, {1, 1, 2}, {1, 2});
  TestTensor lse(MLA_DTYPE_F32, {1, 1}, {-500});
  run(TestTensor(MLA_DTYPE_F32, {1, 1, 1, 2}, {3, 4}),
      TestTensor(MLA_DTYPE_F32, {1, 1, 1}, {900}), o, lse);
  EXPECT_EQ(o.array().data, (std::vector<double>{3, 4}));
  EXPECT_EQ(lse.at({0, 0}), 900);
}

} // namespace
