//===- expanded_attention_test.cpp - mla_expanded_attention ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"
#include "reference/expanded_attention.h"

#include <cmath>

using namespace mla;
using namespace mla::test;

namespace {

/// One call and its tensors.
struct Case {
  int64_t tokens = 0, heads = 2, nope = 32, peWidth = 16, value = 24;
  bool causal = true;
  int64_t windowStart = 0, windowLength = 0;
  Layout layout = Layout::Gapped; ///< Of q, the keys, the values and o.
  TestTensor q, kNope, kPe, v, cuQ, cuK, kvLens, sinks, indices, o, lse;

  void build(Random &random, const std::vector<int64_t> &newTokens,
             const std::vector<int64_t> &lengths, int64_t padding,
             uint32_t dtype);
  mla_expanded_attention_params params() const;
  reference::ExpandedAttention formula() const;
};

void Case::build(Random &random, const std::vector<int64_t> &newTokens,
                 const std::vector<int64_t> &lengths, int64_t padding,
                 uint32_t dtype) {
  auto numSeqs = static_cast<int64_t>(lengths.size());
  std::vector<int64_t> offsets = {0}, keys = {0};
  for (int64_t b = 0; b < numSeqs; ++b) {
    offsets.push_back(offsets[b] + newTokens[b]);
    keys.push_back(keys[b] + lengths[b]);
  }
  tokens = offsets.back() + padding;
  cuQ = TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, offsets);
  int64_t rows = keys.back();
  if (windowLength > 0) {
    kvLens = TestTensor(MLA_DTYPE_I32, {numSeqs}, lengths);
    rows = numSeqs * windowLength;
  } else {
    cuK = TestTensor(MLA_DTYPE_I32, {numSeqs + 1}, keys);
  }
  auto make = [&](Shape shape) {
    return TestTensor(dtype, std::move(shape), layout, random);
  };
  q = make({tokens, heads, nope + peWidth});
  TestTensor kv = make({rows, heads, nope + value});
  kNope = kv.columns(0, nope);
  v = kv.columns(nope, value);
  if (peWidth > 0)
    kPe = make({rows, peWidth});
  o = make({tokens, heads, value});
  lse = TestTensor(MLA_DTYPE_F32, {tokens, heads}, Layout::Gapped, random);
  q.fillRandom(random, -2, 2);
  // Rows of the window beyond a sequence's end stay NaN.
  for (int64_t row = 0; row < rows; ++row) {
    if (windowLength > 0 &&
        windowStart + row % windowLength >= lengths[row / windowLength])
      continue;
    kv.slice(row).fillRandom(random);
    if (kPe)
      kPe.slice(row).fillRandom(random);
  }
}

mla_expanded_attention_params Case::params() const {
  auto params = makeParams<mla_expanded_attention_params>();
  params.q = q.get();
  params.k_nope = kNope.get();
  params.k_pe = kPe.get();
  params.v = v.get();
  params.cu_q = cuQ.get();
  params.cu_k = cuK.get();
  params.kv_lens = kvLens.get();
  params.sinks = sinks.get();
  params.indices = indices.get();
  params.o = o.get();
  params.lse = lse.get();
  params.softmax_scale = 0.3;
  params.causal = causal;
  params.window_start = windowStart;
  params.window_length = windowLength;
  return params;
}

reference::ExpandedAttention Case::formula() const {
  reference::ExpandedAttention result;
  result.q = q.array();
  result.kNope = kNope.array();
  result.kPe = kPe.array();
  result.v = v.array();
  result.cuQ = cuQ.array();
  result.cuK = cuK.array();
  result.kvLens = kvLens.array();
  result.sinks = sinks.array();
  result.indices = indices.array();
  result.softmaxScale = 0.3;
  result.causal = causal;
  result.windowStart = windowStart;
  result.windowLength = windowLength;
  return result;
}

class ExpandedAttentionTest : public OpTest {
protected:
  void run(const Case &c) {
    mla_expanded_attention_params params = c.params();
    ASSERT_EQ(mla_expanded_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
  }

  /// Runs the case and compares all that it writes, and all that it doesn't.
  void compare(const Case &c, uint32_t dtype) {
    Canary o(c.o), lse(c.lse);
    o.allow(c.o);
    lse.allow(c.lse);
    run(c);
    EXPECT_EQ(o.damage() + lse.damage(), 0);
    reference::State expected = c.formula().compute();
    EXPECT_LE(relativeError(c.o.array(), expected.o), tolerance(dtype));
    EXPECT_LE(relativeError(c.lse.array(), expected.lse), 1e-5);
  }
};

TEST_F(ExpandedAttentionTest, RaggedBatches) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    Random random(seed);
    Case c;
    c.heads = random.integer(1, 4);
    c.nope = random.pick<int64_t>({32, 64, 128});
    c.peWidth = random.pick<int64_t>({0, 16, 32, 64});
    c.value = random.pick<int64_t>({32, 64, 128});
    c.causal = random.chance(0.6);
    std::vector<int64_t> newTokens, lengths;
    for (int64_t b = random.integer(0, 4); b > 0; --b) {
      lengths.push_back(random.integer(0, 90));
      newTokens.push_back(
          random.integer(0, std::min<int64_t>(lengths.back(), 12)));
    }
    if (random.chance(0.4)) {
      c.windowLength = random.integer(1, 100);
      c.windowStart = random.integer(0, 50);
    }
    uint32_t dtype =
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.build(random, newTokens, lengths, random.integer(0, 2), dtype);
    if (random.chance(0.3)) {
      c.sinks = TestTensor(MLA_DTYPE_F32, {c.heads}, Layout::Gapped, random);
      c.sinks.fillRandom(random, -1, 4);
    }
    if (random.chance(0.3)) {
      c.indices =
          TestTensor(MLA_DTYPE_I32, {c.tokens, 70}, Layout::Gapped, random);
      for (int64_t t = 0; t < c.tokens; ++t) {
        std::vector<int64_t> chosen = random.choose(70, 100);
        for (int64_t i = 0; i < 70; ++i)
          c.indices.set({t, i}, static_cast<double>(chosen[i] - 1));
      }
    }
    SCOPED_TRACE("seed " + std::to_string(seed) + ": q " + c.q.describe() +
                 ", k_nope " + c.kNope.describe() + ", causal " +
                 std::to_string(c.causal) + ", window " +
                 std::to_string(c.windowStart) + " + " +
                 std::to_string(c.windowLength));
    compare(c, dtype);
    if (HasFailure())
      return;
  }
}

TEST_F(ExpandedAttentionTest, APartKeepsTheLaunchsTokenNumbers) {
  Random random(3);
  Case whole;
  whole.build(random, {2, 1, 5, 3}, {20, 9, 12, 3}, 2, MLA_DTYPE_F32);
  run(whole);
  // The last two sequences alone: their tokens, their part of the offsets.
  const int64_t first = 3, rest = whole.tokens - first;
  TestTensor o(MLA_DTYPE_F32, {rest, whole.heads, whole.value}, Layout::Gapped,
               random);
  TestTensor lse(MLA_DTYPE_F32, {rest, whole.heads}, Layout::Gapped, random);
  auto tail = [](const TestTensor &tensor, int64_t from) {
    mla_tensor part = *tensor.get();
    part.shape[0] -= from;
    part.byte_offset += static_cast<uint64_t>(from * part.strides[0]) *
                        (mla_dtype_bits(part.dtype) / 8);
    return part;
  };
  mla_tensor q = tail(whole.q, first), cuQ = tail(whole.cuQ, 2);
  mla_expanded_attention_params params = whole.params();
  params.q = &q;
  params.cu_q = &cuQ;
  params.o = o.get();
  params.lse = lse.get();
  params.first_token = first;
  // Keys have no first row to give: their offsets start at 0.
  TestTensor ownCuK(MLA_DTYPE_I32, {3}, {0, 12, 15});
  mla_tensor kNope = tail(whole.kNope, 29), kPe = tail(whole.kPe, 29),
             v = tail(whole.v, 29);
  params.cu_k = ownCuK.get();
  params.k_nope = &kNope;
  params.k_pe = &kPe;
  params.v = &v;
  ASSERT_EQ(mla_expanded_attention(ctx, &params), MLA_STATUS_OK) << ctx.error();
  ASSERT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  // On a GPU the tiles may begin at other tokens.
  double bound = testBackend().isCpu() ? 0 : 1e-5;
  EXPECT_LE(relativeError(o.array(), whole.o.rows(first, rest).array()), bound);
  EXPECT_LE(relativeError(lse.array(), whole.lse.rows(first, rest).array()),
            bound);
  for (int64_t wrong : {first - 1, first + 1, int64_t{0}}) {
    params.first_token = wrong;
    ASSERT_EQ(mla_expanded_attention(ctx, &params), MLA_STATUS_OK);
    expectFault("cu_q", "got 3");
  }
}

TEST_F(ExpandedAttentionTest, SequencesOfSeveralTiles) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    Case c;
    c.heads = 3;
    c.nope = random.pick<int64_t>({20, 32, 128});
    c.peWidth = random.pick<int64_t>({0, 10, 64});
    c.value = random.pick<int64_t>({24, 64});
    c.causal = seed % 4 != 0;
    if (seed % 3 == 0) {
      c.windowLength = 150;
      c.windowStart = random.integer(0, 120);
    }
    uint32_t dtype =
        random.pick({MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.build(random, {150, 1, 129, 20}, {150, 1000, 200, 70}, 1, dtype);
    for (int32_t threads : {1, 2}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ": q " + c.q.describe() +
                   ", threads " + std::to_string(threads));
      ASSERT_EQ(mla_context_set_sm_limit(ctx, threads), MLA_STATUS_OK);
      run(c);
      reference::State expected = c.formula().compute();
      EXPECT_LE(relativeError(c.o.array(), expected.o), tolerance(dtype));
      EXPECT_LE(relativeError(c.lse.array(), expected.lse), 1e-5);
      std::vector<double> first = c.o.array().data;
      c.o.fill(0);
      run(c);
      EXPECT_EQ(c.o.array().data, first);
    }
    if (HasFailure())
      return;
  }
}

// What tensor cores take: 16 bits, whole and aligned units of 16 bytes.
TEST_F(ExpandedAttentionTest, DenseRowsOf16Bits) {
  const Shape widths[] = {{64, 0, 64},  {128, 64, 128}, {192, 64, 256},
                          {40, 24, 72}, {128, 0, 128},  {120, 8, 8}};
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Random random(seed);
    Case c;
    c.layout = Layout::Dense;
    // More than the 8 that the CUDA kernel takes together.
    c.heads = random.pick<int64_t>({1, 3, 9});
    c.nope = widths[seed % 6][0];
    c.peWidth = widths[seed % 6][1];
    c.value = widths[seed % 6][2];
    c.causal = seed % 4 != 0;
    if (seed % 3 == 0) {
      c.windowLength = 75;
      c.windowStart = random.integer(0, 60);
    }
    uint32_t dtype = random.pick({MLA_DTYPE_F16, MLA_DTYPE_BF16});
    c.build(random, {20, 0, 135, 1}, {20, 64, 140, 65}, 2, dtype);
    if (random.chance(0.4)) {
      c.sinks = TestTensor(MLA_DTYPE_F32, {c.heads}, Layout::Gapped, random);
      c.sinks.fillRandom(random, -1, 4);
    }
    SCOPED_TRACE("seed " + std::to_string(seed) + ": q " + c.q.describe() +
                 ", k_nope " + c.kNope.describe());
    compare(c, dtype);
    if (HasFailure())
      return;
  }
}

TEST_F(ExpandedAttentionTest, ANanIsSeenOnlyByThoseWhoSeeItsKey) {
  for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_F16, MLA_DTYPE_BF16}) {
    SCOPED_TRACE(mla_dtype_name(dtype));
    Random random(4);
    Case c;
    c.layout = Layout::Dense;
    c.build(random, {6}, {70}, 0, dtype);
    run(c);
    reference::Array sound = c.o.array();
    // Key 66 is the third token's own. What the value is, and what it makes of
    // those who see it.
    for (double bad : {std::nan(""), -double(INFINITY), double(INFINITY)}) {
      c.v.set({66, 1, 5}, bad);
      run(c);
      for (int64_t t = 0; t < 6; ++t)
        for (int64_t h = 0; h < c.heads; ++h)
          for (int64_t i = 0; i < c.value; ++i) {
            double out = c.o.at({t, h, i});
            if (t < 2 || h != 1 || i != 5)
              ASSERT_EQ(out, sound.at(t, h, i)) << t << ' ' << h << ' ' << i;
            else if (std::isnan(bad))
              ASSERT_TRUE(std::isnan(out)) << t;
            else
              ASSERT_EQ(out, bad) << t;
          }
    }
    c.v.set({66, 1, 5}, 0);
    c.kNope.set({66, 1, 5}, std::nan(""));
    run(c);
    EXPECT_EQ(c.o.at({1, 1, 0}), sound.at(1, 1, 0));
    EXPECT_EQ(c.o.at({2, 0, 0}), sound.at(2, 0, 0));
    EXPECT_TRUE(std::isnan(c.o.at({2, 1, 0})));
    EXPECT_TRUE(std::isnan(c.lse.at({5, 1})));
  }
}

TEST_F(ExpandedAttentionTest, TheComparisonSeesEachFault) {
  Random random(1);
  Case c;
  c.build(random, {5, 3}, {20, 9}, 0, MLA_DTYPE_F32);
  run(c);
  auto error = [&](const reference::ExpandedAttention &formula) {
    return relativeError(c.o.array(), formula.compute().o);
  };
  reference::ExpandedAttention wrong = c.formula();
  EXPECT_LE(error(wrong), 1e-5);
  wrong.causal = false;
  EXPECT_GT(error(wrong), 1e-3);
  wrong = c.formula();
  wrong.softmaxScale *= 1.05;
  EXPECT_GT(error(wrong), 1e-4);
  wrong = c.formula();
  for (double &value : wrong.kPe.data)
    value = 0;
  EXPECT_GT(error(wrong), 1e-3);
}

// A sequence beside one whose offset is no offset has all its tokens.
TEST_F(ExpandedAttentionTest, OffsetsThatGoBackLeaveTheOthersRight) {
  for (uint32_t dtype : {MLA_DTYPE_F32, MLA_DTYPE_BF16})
    for (int64_t bad : {int64_t{-5}, int64_t{100}, int64_t{INT32_MAX}}) {
      SCOPED_TRACE(std::string(mla_dtype_name(dtype)) + ", offset " +
                   std::to_string(bad));
      Random random(6);
      Case c;
      c.layout = Layout::Dense;
      c.build(random, {300, 20, 150, 130}, {300, 30, 150, 140}, 1, dtype);
      reference::Array expected = c.formula().compute().o;
      // The second sequence's end, and the third's beginning.
      c.cuQ.set({2}, static_cast<double>(bad));
      Canary o(c.o);
      o.allow(c.o);
      run(c);
      expectFault("cu_q", std::to_string(bad));
      EXPECT_EQ(o.damage(), 0);
      // Those that two sequences claim are either's.
      int64_t end = bad == 100 ? bad : 300;
      double worst = 0;
      for (int64_t t = 0; t < 600; ++t)
        if (t < end || t >= 470)
          for (int64_t h = 0; h < c.heads; ++h)
            for (int64_t i = 0; i < c.value; ++i) {
              double error = c.o.at({t, h, i}) - expected.at(t, h, i);
              worst = std::isnan(error) ? INFINITY
                                        : std::max(worst, std::fabs(error));
            }
      EXPECT_LE(worst, 2 * tolerance(dtype));
    }
}

TEST_F(ExpandedAttentionTest, ReportsBadOffsetsAndLengths) {
  Random random(2);
  {
    Case c;
    c.build(random, {5, 3}, {20, 9}, 0, MLA_DTYPE_F32);
    c.cuK.set({1}, 1000);
    run(c);
    expectFault("cu_k", "1000");
    c.cuK.set({1}, 20);
    c.cuQ.set({0}, -3);
    run(c);
    expectFault("cu_q", "-3");
    // Every sequence is usable, and yet tokens belong to none.
    c.cuQ.set({0}, 1);
    run(c);
    expectFault("cu_q", "1");
  }
  Case c;
  c.windowLength = 8;
  c.build(random, {5, 3}, {20, 9}, 0, MLA_DTYPE_F32);
  c.kvLens.set({1}, -7);
  run(c);
  expectFault("kv_lens", "-7");
}

} // namespace
