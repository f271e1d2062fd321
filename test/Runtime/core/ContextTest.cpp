//===- ContextTest.cpp - Errors that stick, modes, settings, faults -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

#include <cstdlib>
#include <thread>

TEST(Context, NamesItsBackend) {
  Context ctx;
  EXPECT_STREQ(mla_context_backend(ctx), "cpu");
  EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_OK);
  EXPECT_STREQ(mla_last_error(ctx), "");
  EXPECT_EQ(mla_warmup(ctx), MLA_STATUS_OK);
}

TEST(Context, RefusesUnknownBackends) {
  mla_context *ctx = reinterpret_cast<mla_context *>(1);
  EXPECT_EQ(mla_context_create("tpu", 0, &ctx), MLA_STATUS_NOT_FOUND);
  EXPECT_EQ(ctx, nullptr);
  EXPECT_STREQ(mla_last_error(nullptr), "mla_context_create: backend: expected "
                                        "'cpu' or 'cuda', got 'tpu'");
  EXPECT_EQ(mla_context_create(nullptr, 0, &ctx), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_context_create("cpu", 0, nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(nullptr),
               "mla_context_create: out: expected an address, got null");
  EXPECT_NE(mla_context_create("cpu", 1, &ctx), MLA_STATUS_OK);
  EXPECT_EQ(ctx, nullptr);
  EXPECT_STRNE(mla_last_error(nullptr), "");
}

// One line even for a name with several.
TEST(Context, KeepsTextsToOneLine) {
  mla_context *ctx;
  EXPECT_EQ(mla_context_create("a\nb", 0, &ctx), MLA_STATUS_NOT_FOUND);
  EXPECT_EQ(std::string(mla_last_error(nullptr)).find('\n'), std::string::npos);
}

TEST(Context, TakesNullEverywhere) {
  mla_context_destroy(nullptr);
  mla_context_clear_error(nullptr);
  EXPECT_STREQ(mla_context_backend(nullptr), "");
  EXPECT_EQ(mla_context_stream(nullptr), nullptr);
  EXPECT_EQ(mla_context_workspace_high_water(nullptr), 0u);
  EXPECT_EQ(mla_context_status(nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_context_set_mode(nullptr, 0), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_context_check(nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_warmup(nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_end(nullptr), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mla_arena_alloc(nullptr, 1), nullptr);
  EXPECT_EQ(mla_device_alloc(nullptr, 1), nullptr);
  EXPECT_EQ(mla_begin(nullptr, "e", nullptr, 0, nullptr, 0),
            MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(nullptr),
               "mla_begin: expected a context, got null");
  auto call = validAppend();
  EXPECT_EQ(mla_append(nullptr, &call.p), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(nullptr),
               "mla_append: expected a context, got null");
}

TEST(Context, RefusesUnknownModesAndLimits) {
  Context ctx;
  EXPECT_EQ(mla_context_set_mode(ctx, 3), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_context_set_mode: mode: expected MLA_MODE_RUN, "
               "MLA_MODE_CHECK or MLA_MODE_PLAN, got 3");
  mla_context_clear_error(ctx);
  EXPECT_EQ(mla_context_set_sm_limit(ctx, -1), MLA_STATUS_INVALID_ARGUMENT);
  mla_context_clear_error(ctx);
  EXPECT_EQ(mla_context_set_sm_limit(ctx, 4), MLA_STATUS_OK);
  int stream = 0;
  EXPECT_EQ(mla_context_set_stream(ctx, &stream), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_stream(ctx), &stream);
}

TEST(Context, HasNoMoreThreadsThanThereAre) {
  // Neither memory nor threads for as many as the limit says.
  Context ctx;
  ASSERT_EQ(mla_context_set_sm_limit(ctx, INT32_MAX), MLA_STATUS_OK);
  auto call = validAbsorbQ();
  EXPECT_EQ(mla_absorb_q(ctx, &call.p), MLA_STATUS_OK) << mla_last_error(ctx);
}

TEST(Context, KeepsTheFirstErrorAndDoesNothingAfter) {
  Context ctx;
  auto bad = validFill();
  bad.p.dst = nullptr;
  EXPECT_EQ(mla_fill(ctx, &bad.p), MLA_STATUS_INVALID_ARGUMENT);
  auto copy = validCopy();
  copy[&mla_copy_params::src].rank = 9;
  EXPECT_EQ(mla_copy(ctx, &copy.p), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_fill: dst: expected a tensor, got null");

  auto good = validFill();
  EXPECT_EQ(mla_fill(ctx, &good.p), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(*static_cast<float *>(good.p.dst->data), 0.0f);
  EXPECT_EQ(mla_arena_alloc(ctx, 16), nullptr);
  EXPECT_EQ(mla_end(ctx), MLA_STATUS_INVALID_ARGUMENT);

  mla_context_clear_error(ctx);
  EXPECT_STREQ(mla_last_error(ctx), "");
  EXPECT_EQ(mla_fill(ctx, &good.p), MLA_STATUS_OK);
  EXPECT_EQ(*static_cast<float *>(good.p.dst->data), 1.0f);
}

// After a CHECK that failed a caller must get back to RUN.
TEST(Context, ChangesModeWithAStickyError) {
  Context ctx(MLA_MODE_CHECK);
  auto bad = validFill();
  bad.p.dst = nullptr;
  EXPECT_NE(mla_fill(ctx, &bad.p), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_set_mode(ctx, MLA_MODE_RUN), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_INVALID_ARGUMENT);
  mla_context_clear_error(ctx);
  auto good = validFill();
  EXPECT_EQ(mla_fill(ctx, &good.p), MLA_STATUS_OK);
  EXPECT_EQ(*static_cast<float *>(good.p.dst->data), 1.0f);
}

TEST(Context, CheckAndPlanWriteNothing) {
  for (int32_t mode : {MLA_MODE_CHECK, MLA_MODE_PLAN, MLA_MODE_RUN}) {
    Context ctx(mode);
    auto append = validAppend();
    for (Operand &operand : *append.operands)
      if (operand.tensor.dtype == MLA_DTYPE_F32)
        for (size_t i = 0; i < operand.bytes.size() / 4; ++i)
          operand.as<float>()[i] = 1.0f + static_cast<float>(i % 7);
    std::vector<std::vector<char>> before;
    for (Operand &operand : *append.operands)
      before.push_back(operand.bytes);
    EXPECT_EQ(mla_append(ctx, &append.p), MLA_STATUS_OK) << mla_last_error(ctx);
    size_t changed = 0;
    for (size_t i = 0; i < before.size(); ++i)
      changed += before[i] != (*append.operands)[i].bytes;
    // query, k_pe_out and both parts of the cache.
    EXPECT_EQ(changed, mode == MLA_MODE_RUN ? 4u : 0u);
  }
}

TEST(Context, ReportsBadDataOnce) {
  Context ctx;
  auto append = validAppend();
  static_cast<int64_t *>(append[&mla_append_params::slots].data)[2] = 1000;
  std::vector<char> before = append.operands->back().bytes;
  EXPECT_EQ(mla_append(ctx, &append.p), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_DATA_ERROR);
  EXPECT_STREQ(
      mla_last_error(ctx),
      "mla_append: slots: expected a value in [0, 48) at index 2, got 1000");
  // It was the data, not the call: nothing sticks.
  EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK);
  EXPECT_STREQ(mla_last_error(ctx), "");
}

TEST(Context, MovesBytes) {
  Context ctx;
  const float host[] = {1, 2, 3};
  float back[3] = {};
  void *device = mla_device_alloc(ctx, sizeof(host));
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(device) % 256, 0u);
  EXPECT_EQ(mla_upload(ctx, device, host, sizeof(host)), MLA_STATUS_OK);
  EXPECT_EQ(mla_download(ctx, back, device, sizeof(back)), MLA_STATUS_OK);
  EXPECT_EQ(std::memcmp(host, back, sizeof(host)), 0);
  EXPECT_EQ(mla_upload(ctx, nullptr, nullptr, 0), MLA_STATUS_OK);
  EXPECT_EQ(mla_download(ctx, nullptr, device, 4), MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_download: host: expected data, got null for 4 bytes");
  // Memory is given back whatever sticks.
  mla_device_free(ctx, device);
  mla_device_free(ctx, nullptr);
  mla_context_clear_error(ctx);
  EXPECT_EQ(mla_device_alloc(ctx, ~uint64_t(0)), nullptr);
  EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_RESOURCE_EXHAUSTED);
}

TEST(DefaultContext, BelongsToTheThread) {
  mla_context *mine = mla_context_default();
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(mla_context_default(), mine);
  mla_context *theirs = nullptr;
  std::thread([&] { theirs = mla_context_default(); }).join();
  EXPECT_NE(theirs, nullptr);
  EXPECT_NE(theirs, mine);
}

TEST(DefaultContext, PrintsAnErrorOnce) {
  mla_context *ctx = mla_context_default();
  mla_context_clear_error(ctx);
  auto bad = validFill();
  bad.p.dst = nullptr;
  testing::internal::CaptureStderr();
  EXPECT_NE(mla_fill(ctx, &bad.p), MLA_STATUS_OK);
  EXPECT_NE(mla_fill(ctx, &bad.p), MLA_STATUS_OK);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "mla: INVALID_ARGUMENT: mla_fill: dst: expected a tensor, got "
            "null\n");
  mla_context_clear_error(ctx);
}

TEST(DefaultContext, GrowsByItself) {
  mla_context *ctx = mla_context_default();
  mla_context_clear_error(ctx);
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_RUN), MLA_STATUS_OK);
  std::vector<char *> pieces;
  for (int i = 0; i < 40; ++i) {
    uint64_t bytes = (i + 1) * 50000;
    char *piece = static_cast<char *>(mla_arena_alloc(ctx, bytes));
    ASSERT_NE(piece, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % 256, 0u);
    std::memset(piece, i, bytes);
    pieces.push_back(piece);
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(pieces[i][0], i);
    EXPECT_EQ(pieces[i][(i + 1) * 50000 - 1], i);
  }
  // A second entry starts over and keeps within what there is.
  ASSERT_EQ(mla_begin(ctx, "e", nullptr, 0, nullptr, 0), MLA_STATUS_OK);
  char *first = static_cast<char *>(mla_arena_alloc(ctx, 100));
  ASSERT_EQ(mla_end(ctx), MLA_STATUS_OK);
  ASSERT_EQ(mla_begin(ctx, "e", nullptr, 0, nullptr, 0), MLA_STATUS_OK);
  EXPECT_EQ(mla_arena_alloc(ctx, 100), first);
  ASSERT_EQ(mla_end(ctx), MLA_STATUS_OK);
}
