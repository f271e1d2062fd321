//===- state_algebra_test.cpp - Attention in parts is attention -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// States form a commutative monoid: keys may be split anyhow, merged in any
// order, and a sink is one more state.
//
//===----------------------------------------------------------------------===//

#include "FormsCase.h"

using namespace mla;
using namespace mla::test;

namespace {

using State = reference::State;

/// Ragged: a prompt, a step, several new tokens, no key, no new token.
const std::vector<int64_t> lengths = {11, 30, 23, 0, 9};
const std::vector<int64_t> newTokens = {11, 1, 4, 0, 0};

class StateAlgebraTest : public OpTest,
                         public testing::WithParamInterface<bool> {
protected:
  bool expandedForm() const { return GetParam(); }

  State whole(const FormsCase &c, const TestTensor &indices,
              const TestTensor &sinks) const {
    return expandedForm() ? c.expanded(0, c.mostKeys(), indices, sinks)
                          : c.absorbed(indices, sinks);
  }

  /// The keys in `parts` parts, none with a sink: dealt at random, or in the
  /// expanded form every other time in windows of random lengths.
  std::vector<State> split(FormsCase &c, int64_t parts) const {
    std::vector<State> states;
    if (expandedForm() && c.random().chance(0.5)) {
      std::vector<int64_t> cuts = {0, c.mostKeys()};
      for (int64_t i = 1; i < parts; ++i)
        cuts.push_back(c.random().integer(1, c.mostKeys() - 1));
      std::sort(cuts.begin(), cuts.end());
      for (int64_t i = 0; i < parts; ++i)
        if (cuts[i + 1] > cuts[i])
          states.push_back(c.expanded(cuts[i], cuts[i + 1] - cuts[i], {}, {}));
      return states;
    }
    for (const TestTensor &indices : c.partition(parts))
      states.push_back(whole(c, indices, {}));
    return states;
  }

  static void expectSame(const State &actual, const State &expected) {
    EXPECT_LE(relativeError(actual.o, expected.o), 1e-5);
    EXPECT_LE(relativeError(actual.lse, expected.lse), 1e-5);
  }
};

TEST_P(StateAlgebraTest, ASinkCountsOnceHoweverTheKeysAreSplit) {
  for (int64_t parts = 1; parts <= 5; ++parts)
    for (uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(std::to_string(parts) + " parts, seed " +
                   std::to_string(seed));
      FormsCase c(ctx, seed, lengths, newTokens, 2, seed % 2 ? 16 : 0);
      State expected = whole(c, {}, c.sinks);
      std::vector<State> states = split(c, parts);
      State merged = c.merge(c.sinkState(), states);
      expectSame(merged, expected);
      // The sink as a state among the others, at any place.
      std::vector<State> withSink = states;
      withSink.insert(
          withSink.begin() +
              c.random().integer(0, static_cast<int64_t>(states.size())),
          c.sinkState());
      expectSame(c.merge(c.empty(), withSink), expected);
      // Twice, or never, is something else.
      EXPECT_GT(relativeError(c.merge(c.sinkState(), withSink).o, expected.o),
                1e-3);
      EXPECT_GT(relativeError(c.merge(c.empty(), states).o, expected.o), 1e-3);
      if (HasFailure())
        return;
    }
}

TEST_P(StateAlgebraTest, ASinkCountsOnceWhereOnePartCarriesIt) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    FormsCase c(ctx, seed, lengths, newTokens, 1, 16);
    State expected = whole(c, {}, c.sinks);
    std::vector<TestTensor> parts = c.partition(3);
    auto carrier = static_cast<size_t>(c.random().integer(0, 2));
    std::vector<State> states, all;
    for (size_t i = 0; i < parts.size(); ++i) {
      all.push_back(whole(c, parts[i], c.sinks));
      states.push_back(i == carrier ? all[i] : whole(c, parts[i], {}));
    }
    expectSame(c.merge(c.empty(), states), expected);
    EXPECT_GT(relativeError(c.merge(c.empty(), all).o, expected.o), 1e-3);
  }
}

TEST_P(StateAlgebraTest, EveryOrderOfMergingGivesTheSame) {
  for (int64_t parts = 1; parts <= 4; ++parts)
    for (uint64_t seed = 0; seed < 2; ++seed) {
      SCOPED_TRACE(std::to_string(parts) + " parts, seed " +
                   std::to_string(seed));
      FormsCase c(ctx, seed, lengths, newTokens, 2, seed % 2 ? 0 : 16);
      State expected = whole(c, {}, {});
      std::vector<TestTensor> indices = c.partition(parts);
      std::vector<State> states;
      for (const TestTensor &part : indices)
        states.push_back(whole(c, part, {}));
      std::vector<size_t> order(states.size());
      std::iota(order.begin(), order.end(), 0);
      int64_t orders = 0;
      do {
        std::vector<State> shuffled;
        State oneByOne = c.empty();
        for (size_t i : order) {
          shuffled.push_back(states[i]);
          oneByOne = c.merge(oneByOne, {states[i]});
        }
        expectSame(c.merge(c.empty(), shuffled), expected);
        expectSame(oneByOne, expected);
        // Into the first state instead of into the empty one.
        State first = shuffled.front();
        shuffled.erase(shuffled.begin());
        expectSame(c.merge(first, shuffled), expected);
        ++orders;
      } while (std::next_permutation(order.begin(), order.end()));
      EXPECT_EQ(orders, (std::vector<int64_t>{1, 1, 2, 6, 24})[parts]);
    }
}

TEST_P(StateAlgebraTest, EveryTreeOfMergesGivesTheSame) {
  FormsCase c(ctx, 9, lengths, newTokens, 1, 16);
  State expected = whole(c, {}, c.sinks);
  std::vector<State> leaves = {c.sinkState(), c.empty()};
  for (const TestTensor &part : c.partition(5))
    leaves.push_back(whole(c, part, {}));
  for (int round = 0; round < 30; ++round) {
    std::vector<State> forest = leaves;
    while (forest.size() > 1) {
      auto last = static_cast<int64_t>(forest.size()) - 1;
      // Some number of states into another one.
      std::swap(forest[c.random().integer(0, last)], forest[last]);
      State acc = forest.back();
      forest.pop_back();
      int64_t taken = c.random().integer(1, std::min<int64_t>(last, 3));
      std::vector<State> states;
      for (int64_t i = 0; i < taken; ++i) {
        auto end = static_cast<int64_t>(forest.size()) - 1;
        std::swap(forest[c.random().integer(0, end)], forest[end]);
        states.push_back(forest.back());
        forest.pop_back();
      }
      forest.push_back(c.merge(acc, states));
    }
    expectSame(forest.front(), expected);
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(Form, StateAlgebraTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool> &info) {
                           return info.param ? "Expanded" : "Absorbed";
                         });

using FormsTest = StateAlgebraTest;

TEST_F(FormsTest, IndicesChooseTheSameKeysInBothForms) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    FormsCase c(ctx, seed, lengths, newTokens, 2, seed % 3 ? 16 : 0);
    TestTensor indices = c.someIndices(c.random().integer(1, 40));
    const TestTensor &sinks = seed % 2 ? c.sinks : TestTensor();
    State absorbed = c.absorbed(indices, sinks);
    expectSame(c.expanded(0, c.mostKeys(), indices, sinks), absorbed);
    // In windows: the chosen keys lie in any of them, or in none.
    State acc = seed % 2 ? c.sinkState() : c.empty();
    std::vector<State> windows;
    int64_t length = c.random().integer(1, 14);
    for (int64_t start = 0; start < c.mostKeys(); start += length)
      windows.push_back(c.expanded(start, length, indices, {}));
    expectSame(c.merge(acc, windows), absorbed);
    // And they do choose.
    State all = c.absorbed({}, sinks);
    EXPECT_GT(relativeError(all.o, absorbed.o), 1e-3);
    windows.pop_back();
    if (length < 5) {
      windows.erase(windows.begin());
      EXPECT_GT(relativeError(c.merge(acc, windows).o, absorbed.o), 1e-3);
    }
    if (HasFailure())
      return;
  }
}

TEST_F(FormsTest, BothFormsAgreeWithoutIndicesToo) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    FormsCase c(ctx, seed, lengths, newTokens, 2, seed % 2 ? 16 : 0);
    expectSame(c.expanded(0, c.mostKeys(), {}, c.sinks),
               c.absorbed({}, c.sinks));
    // A window that reaches beyond every sequence.
    expectSame(c.expanded(0, c.mostKeys() + 7, {}, {}), c.absorbed({}, {}));
  }
}

} // namespace
