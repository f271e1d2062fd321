//===- absorbed_attention_faults_test.cpp - Bad data in attention ---------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"

using namespace mla;
using namespace mla::test;

namespace {

class AbsorbedAttentionFaultsTest : public OpTest {
protected:
  AttentionCase makeCase() {
    Random random(11);
    CacheSpec spec;
    // Two sequences of 3 and 2 pages.
    return AttentionCase(random, PagedBatch(random, spec, {40, 20}, {2, 1}, 0),
                         2, MLA_DTYPE_F32, MLA_DTYPE_F32);
  }

  /// Runs a case whose first sequence is broken: reported, nothing written
  /// outside, and the second sequence as if nothing had happened.
  void expectContained(const AttentionCase &c, const std::string &what,
                       const std::string &value) {
    SCOPED_TRACE(what + " " + value);
    Canary o(c.o), lse(c.lse), cache(c.batch.cache.latent);
    o.allow(c.o);
    lse.allow(c.lse);
    mla_absorbed_attention_params params = c.params();
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
    expectFault(what, value);
    EXPECT_EQ(o.damage() + lse.damage() + cache.damage(), 0);
    reference::State expected = makeCase().formula().compute();
    reference::Array last({1, 2, 512});
    std::copy(expected.o.data.end() - 1024, expected.o.data.end(),
              last.data.begin());
    EXPECT_LE(relativeError(c.o.rows(2, 1).array(), last), 1e-5);
  }
};

TEST_F(AbsorbedAttentionFaultsTest, Pages) {
  for (int64_t bad : {-1, 7, 1 << 30}) {
    AttentionCase c = makeCase();
    c.batch.pageTable.set({0, 1}, static_cast<double>(bad));
    expectContained(c, "page_table", std::to_string(bad));
  }
}

TEST_F(AbsorbedAttentionFaultsTest, Lengths) {
  for (int64_t bad : {-1, 49, INT32_MAX}) {
    AttentionCase c = makeCase();
    c.batch.kvLens.set({0}, static_cast<double>(bad));
    expectContained(c, "kv_lens", std::to_string(bad));
  }
}

TEST_F(AbsorbedAttentionFaultsTest, Offsets) {
  for (int64_t bad : {-1, 4, INT32_MIN}) {
    AttentionCase c = makeCase();
    c.batch.cuQ.set({0}, static_cast<double>(bad));
    expectContained(c, "cu_q", std::to_string(bad));
  }
}

TEST_F(AbsorbedAttentionFaultsTest, APageThatNoIndexLeadsToIsNotReported) {
  AttentionCase c = makeCase();
  c.batch.pageTable.set({0, 1}, 99);
  // The first sequence's tokens stay on its other pages; the second's asks for
  // the same position, of its own.
  c.indices = TestTensor(MLA_DTYPE_I32, {3, 2}, {0, 35, -1, 3, 17, 1});
  mla_absorbed_attention_params params = c.params();
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  c.indices.set({1, 0}, 17);
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK);
  expectFault("page_table", "99");
}

TEST_F(AbsorbedAttentionFaultsTest, AViolatedHint) {
  AttentionCase c = makeCase();
  mla_absorbed_attention_params params = c.params();
  params.max_kv = 40;
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  params.max_kv = 39;
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK);
  expectFault("kv_lens, bounded by max_kv", "40");
}

TEST_F(AbsorbedAttentionFaultsTest, Bounds) {
  for (int64_t bad : {-5, 41, INT32_MAX}) {
    AttentionCase c = makeCase();
    c.bounds = TestTensor(MLA_DTYPE_I32, {3}, {39, bad, 20});
    expectContained(c, "kv_bounds", std::to_string(bad));
  }
}

TEST_F(AbsorbedAttentionFaultsTest, ASoundCallReportsNothing) {
  AttentionCase c = makeCase();
  mla_absorbed_attention_params params = c.params();
  ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
}

} // namespace
