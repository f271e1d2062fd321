//===- attention_chain_test.cpp - Attention in a graph of calls -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Attention's kernels may start before the ones ahead of them have ended. Every
// round overwrites what the attention of the round before reads: a query of
// zeros weighs all keys alike, so that the output is the value that all of them
// were just filled with, and the lse the logarithm of their number.
//
//===----------------------------------------------------------------------===//

#include "DeviceCopies.h"
#include "StreamContext.h"

using namespace mla;
using namespace mla::test;

namespace {

const int64_t rounds = 8, width = 128, peWidth = 64, pageSize = 64;

/// One sequence of one token and several lengths.
class AttentionChain {
public:
  AttentionChain(Random &random, uint32_t dtype, int64_t heads, int64_t most)
      : dtype(dtype), heads(heads), most(most) {
    int64_t pages = (most + pageSize - 1) / pageSize;
    pool = make(random, dtype, {pages, pageSize, width + peWidth});
    expanded = make(random, dtype, {most, heads, width});
    query = make(random, dtype, {1, heads, width + peWidth});
    for (const TestTensor *tensor : {&pool, &expanded, &query})
      tensor->fill(0);
    pageTable =
        TestTensor(MLA_DTYPE_I32, {1, pages}, random.choose(pages, pages));
    cuQ = TestTensor(MLA_DTYPE_I32, {2}, {0, 1});
    kvLens = TestTensor(MLA_DTYPE_I32, {1}, {0});
    // Its second element is filled with what kvLens is.
    cuK = TestTensor(MLA_DTYPE_I32, {2}, {0, 0});
    schedule = make(random, MLA_DTYPE_I32, {MLA_SCHEDULE_SIZE(1)});
    all.reserve(rounds);
    for (int64_t i = 0; i < rounds; ++i)
      all.push_back(makeRound(random, i));
  }

  mla_status enqueue(mla_context *ctx) const {
    for (const Round &round : all) {
      mla_status status = MLA_STATUS_OK;
      for (const mla_fill_params &fill : round.fills)
        status = status ? status : ::mla_fill(ctx, &fill);
      if (!status && round.absorbed.schedule)
        status = ::mla_schedule(ctx, &round.plan);
      status = status ? status : ::mla_absorbed_attention(ctx, &round.absorbed);
      status = status ? status : ::mla_expanded_attention(ctx, &round.expanded);
      if (status)
        return status;
    }
    return MLA_STATUS_OK;
  }
  void upload() const { copies.upload(); }
  void download(mla_context *ctx) const { copies.download(ctx); }

  /// Elements that aren't what they are to be.
  int64_t countWrong() const {
    int64_t wrong = 0;
    for (int64_t i = 0; i < rounds; ++i) {
      for (const TestTensor *o : {&all[i].o, &all[i].expandedO})
        o->forEach([&](const Shape &index) {
          wrong += !(std::abs(o->at(index) - valueOf(i)) < 1e-4);
        });
      double expected = std::log(static_cast<double>(lengthOf(i)));
      for (const TestTensor *lse : {&all[i].lse, &all[i].expandedLse})
        lse->forEach([&](const Shape &index) {
          wrong += !(std::abs(lse->at(index) - expected) < 1e-4);
        });
    }
    return wrong;
  }

private:
  struct Round {
    std::vector<mla_fill_params> fills;
    mla_schedule_params plan;
    mla_absorbed_attention_params absorbed;
    mla_expanded_attention_params expanded;
    TestTensor o, lse, expandedO, expandedLse;
  };

  static double valueOf(int64_t round) {
    return static_cast<double>(round + 1);
  }
  int64_t lengthOf(int64_t round) const { return most - 100 * (round % 3); }

  static TestTensor make(Random &random, uint32_t dtype, Shape shape) {
    return TestTensor(dtype, std::move(shape), Layout::Dense, random);
  }

  Round makeRound(Random &random, int64_t index) {
    Round round;
    round.o = make(random, dtype, {1, heads, width});
    round.lse = make(random, MLA_DTYPE_F32, {1, heads});
    round.expandedO = make(random, dtype, {1, heads, width});
    round.expandedLse = make(random, MLA_DTYPE_F32, {1, heads});
    TestTensor latent = pool.columns(0, width),
               pe = pool.columns(width, peWidth);
    TestTensor end = cuK.columns(1, 1), narrow = query.columns(0, width);
    auto fill = [&](const TestTensor &what, double value) {
      round.fills.push_back(makeParams<mla_fill_params>());
      round.fills.back().dst = what.get();
      round.fills.back().value = value;
      copies.take(round.fills.back());
    };
    fill(latent, valueOf(index));
    fill(expanded, valueOf(index));
    fill(kvLens, static_cast<double>(lengthOf(index)));
    fill(end, static_cast<double>(lengthOf(index)));
    round.plan = makeParams<mla_schedule_params>();
    round.plan.kv_lens = kvLens.get();
    round.plan.cu_q = cuQ.get();
    round.plan.schedule = schedule.get();
    round.plan.num_heads = heads;
    round.plan.page_size = pageSize;
    copies.take(round.plan);
    auto &absorbed = round.absorbed;
    absorbed = makeParams<mla_absorbed_attention_params>();
    absorbed.query = query.get();
    absorbed.cache_latent = latent.get();
    absorbed.cache_pe = pe.get();
    absorbed.page_table = pageTable.get();
    absorbed.kv_lens = kvLens.get();
    absorbed.cu_q = cuQ.get();
    if (index % 2 == 0)
      absorbed.schedule = schedule.get();
    absorbed.o = round.o.get();
    absorbed.lse = round.lse.get();
    absorbed.softmax_scale = 1;
    copies.take(absorbed);
    round.expanded = makeParams<mla_expanded_attention_params>();
    round.expanded.q = narrow.get();
    round.expanded.k_nope = expanded.get();
    round.expanded.v = expanded.get();
    round.expanded.cu_q = cuQ.get();
    round.expanded.cu_k = cuK.get();
    round.expanded.o = round.expandedO.get();
    round.expanded.lse = round.expandedLse.get();
    round.expanded.softmax_scale = 1;
    round.expanded.causal = 1;
    copies.take(round.expanded);
    return round;
  }

  uint32_t dtype;
  int64_t heads, most;
  TestTensor pool, expanded, query, pageTable, cuQ, kvLens, cuK, schedule;
  std::vector<Round> all;
  DeviceCopies copies;
};

TEST(CudaAttentionChainTest, ReplayedAttentionSeesWhatWasJustWritten) {
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F32})
    for (int64_t heads : {16, 128})
      for (int64_t most : {300, 2500}) {
        SCOPED_TRACE(std::to_string(heads) + " heads, " + std::to_string(most) +
                     " keys");
        Random random(most);
        StreamContext on;
        AttentionChain chain(random, dtype, heads, most);
        chain.upload();
        CapturedGraph graph(on, [&] { return chain.enqueue(on.ctx); });
        ASSERT_TRUE(graph);
        for (int i = 0; i < 10; ++i)
          graph.replay();
        chain.download(on.ctx);
        EXPECT_EQ(chain.countWrong(), 0);
        EXPECT_EQ(mla_context_check(on.ctx), MLA_STATUS_OK) << on.ctx.error();
      }
}

} // namespace
