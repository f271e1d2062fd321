//===- bad_schedule_test.cpp - Schedules that hold anything ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A schedule is device data: whatever is in it, attention ends and writes
// nothing beside its outputs.
//
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"
#include "reference/schedule.h"

using namespace mla;
using namespace mla::test;

namespace {

class BadScheduleTest : public OpTest {
protected:
  /// With a whole box of columns and rows, and an output of its type, for the
  /// kernel that compute capability 9.0 has.
  AttentionCase makeCase(Random &random, uint32_t dtype, bool boxes = false) {
    CacheSpec spec;
    spec.layout = Layout::Dense;
    spec.latentDtype = spec.peDtype = dtype;
    spec.latentWidth = boxes ? 512 : 128;
    spec.peWidth = boxes ? 64 : spec.peWidth;
    spec.pageSize = boxes ? 64 : spec.pageSize;
    AttentionCase c(random,
                    PagedBatch(random, spec, {1000, 70, 0}, {3, 2, 0}, 1), 40,
                    dtype, boxes ? dtype : uint32_t(MLA_DTYPE_F32));
    c.schedule = TestTensor(MLA_DTYPE_I32, {reference::scheduleSize(3)},
                            Layout::Dense, random);
    auto params = makeParams<mla_schedule_params>();
    params.kv_lens = c.batch.kvLens.get();
    params.cu_q = c.batch.cuQ.get();
    params.schedule = c.schedule.get();
    params.num_heads = 40;
    params.page_size = spec.pageSize;
    EXPECT_EQ(mla_schedule(ctx, &params), MLA_STATUS_OK) << ctx.error();
    return c;
  }

  void run(const AttentionCase &c) {
    mla_absorbed_attention_params params = c.params();
    Canary o(c.o), lse(c.lse), cache(c.batch.cache.latent);
    o.allow(c.o);
    lse.allow(c.lse);
    ASSERT_EQ(mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
        << ctx.error();
    EXPECT_EQ(o.damage() + lse.damage() + cache.damage(), 0);
  }
};

TEST_F(BadScheduleTest, AnyStartsOfItsParts) {
  const struct {
    uint32_t dtype;
    bool boxes;
  } forms[] = {
      {MLA_DTYPE_F32, false}, {MLA_DTYPE_BF16, false}, {MLA_DTYPE_BF16, true}};
  for (const auto &form : forms) {
    uint32_t dtype = form.dtype;
    Random random(dtype);
    AttentionCase c = makeCase(random, dtype, form.boxes);
    run(c);
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
    EXPECT_LE(relativeError(c.o.array(), c.formula().compute().o),
              attentionTolerance(dtype, c.o.dtype()));
    for (int round = 0; round < 5; ++round) {
      for (int64_t i = 16; i < 4096; ++i)
        c.schedule.set({i}, static_cast<double>(random.pick<int64_t>(
                                {INT32_MIN, -1, 0, 1, 2, 15, INT32_MAX})));
      run(c);
      EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
    }
  }
}

TEST_F(BadScheduleTest, AnImpossibleNumberOfLanesOrParts) {
  Random random(1);
  AttentionCase c = makeCase(random, MLA_DTYPE_BF16);
  for (int64_t element : {6, 7}) {
    double right = c.schedule.at({element});
    for (int64_t bad :
         {int64_t{INT32_MIN}, int64_t{0}, int64_t{1000}, int64_t{INT32_MAX}}) {
      c.schedule.set({element}, static_cast<double>(bad));
      run(c);
      expectFault("schedule", std::to_string(bad));
      EXPECT_EQ(c.o.at({0, 0, 0}), 0);
    }
    c.schedule.set({element}, right);
  }
}

} // namespace
