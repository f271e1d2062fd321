//===- ArenaTest.cpp - The workspace: bumping, planning, running out ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCalls.h"

/// Takes 100, 300 and 0 bytes, as an entry would.
static mla_status entry(mla_context *ctx,
                        std::vector<char *> *pieces = nullptr) {
  mla_begin(ctx, "entry", nullptr, 0, nullptr, 0);
  for (uint64_t bytes : {100, 300, 0}) {
    void *piece = mla_arena_alloc(ctx, bytes);
    if (pieces)
      pieces->push_back(static_cast<char *>(piece));
  }
  return mla_end(ctx);
}

TEST(Arena, PlansWhatARunTakes) {
  Context ctx(MLA_MODE_PLAN);
  std::vector<char *> planned;
  ASSERT_EQ(entry(ctx, &planned), MLA_STATUS_OK);
  ASSERT_EQ(entry(ctx), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_workspace_high_water(ctx), 256u + 512u);
  EXPECT_NE(planned[0], nullptr);
  EXPECT_EQ(planned[1] - planned[0], 256);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(planned[0]) % 256, 0u);

  // One byte less than that is refused, in CHECK as in RUN.
  for (int32_t mode : {MLA_MODE_CHECK, MLA_MODE_RUN}) {
    ASSERT_EQ(mla_context_set_mode(ctx, mode), MLA_STATUS_OK);
    EXPECT_EQ(mla_context_workspace_high_water(ctx), 0u);
    ASSERT_EQ(mla_context_set_workspace(ctx, nullptr, 767), MLA_STATUS_OK);
    EXPECT_EQ(entry(ctx), MLA_STATUS_RESOURCE_EXHAUSTED);
    EXPECT_STREQ(
        mla_last_error(ctx),
        "mla_arena_alloc: workspace: expected at least 768 bytes up to here "
        "(mode PLAN counts all that the entry takes), got 767");
    ASSERT_EQ(mla_context_set_workspace(ctx, nullptr, 768), MLA_STATUS_OK);
    EXPECT_EQ(entry(ctx), MLA_STATUS_OK) << mla_last_error(ctx);
    EXPECT_EQ(mla_context_workspace_high_water(ctx), 768u);
  }
}

TEST(Arena, UsesTheCallersMemory) {
  Context ctx;
  alignas(256) static char memory[1024];
  ASSERT_EQ(mla_context_set_workspace(ctx, memory, sizeof(memory)),
            MLA_STATUS_OK);
  for (int again = 0; again < 2; ++again) {
    std::vector<char *> pieces;
    ASSERT_EQ(entry(ctx, &pieces), MLA_STATUS_OK);
    EXPECT_EQ(pieces[0], memory);
    EXPECT_EQ(pieces[1], memory + 256);
    EXPECT_EQ(pieces[2], memory + 768);
  }
  ASSERT_EQ(mla_context_set_workspace(ctx, nullptr, 0), MLA_STATUS_OK);
  EXPECT_EQ(entry(ctx), MLA_STATUS_RESOURCE_EXHAUSTED);
  EXPECT_STREQ(mla_last_error(ctx),
               "mla_arena_alloc: workspace: expected at least 256 bytes up to "
               "here (mode PLAN counts all that the entry takes), got 0");
}

TEST(Arena, RefusesMisusedWorkspaces) {
  Context ctx;
  alignas(256) static char memory[1024];
  EXPECT_EQ(mla_context_set_workspace(ctx, memory + 8, 512),
            MLA_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(std::string(mla_last_error(ctx))
                .rfind("mla_context_set_workspace: data: expected an address "
                       "aligned to 256 bytes, got 0x",
                       0),
            0u);
  mla_context_clear_error(ctx);
  ASSERT_EQ(mla_begin(ctx, "decode", nullptr, 0, nullptr, 0), MLA_STATUS_OK);
  EXPECT_EQ(mla_context_set_workspace(ctx, memory, 512),
            MLA_STATUS_FAILED_PRECONDITION);
  EXPECT_STREQ(mla_last_error(ctx), "mla_context_set_workspace: expected no "
                                    "open entry, got 'decode'");
  mla_context_clear_error(ctx);
  EXPECT_EQ(mla_context_set_mode(ctx, MLA_MODE_PLAN),
            MLA_STATUS_FAILED_PRECONDITION);
  EXPECT_EQ(mla_end(ctx), MLA_STATUS_FAILED_PRECONDITION);
}

TEST(Arena, RefusesNegativeSizes) {
  for (int32_t mode : {MLA_MODE_RUN, MLA_MODE_CHECK, MLA_MODE_PLAN}) {
    Context ctx(mode);
    EXPECT_EQ(mla_arena_alloc(ctx, static_cast<uint64_t>(-8)), nullptr);
    EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_INVALID_ARGUMENT);
    EXPECT_STREQ(mla_last_error(ctx),
                 "mla_arena_alloc: bytes: expected at most 2^56, got "
                 "18446744073709551608");
  }
}

TEST(Arena, ReportsMemoryThatIsNotThere) {
  Context ctx;
  EXPECT_EQ(mla_context_set_workspace(ctx, nullptr, uint64_t(1) << 55),
            MLA_STATUS_RESOURCE_EXHAUSTED);
  EXPECT_EQ(mla_context_set_workspace(ctx, nullptr, ~uint64_t(0)),
            MLA_STATUS_RESOURCE_EXHAUSTED); // The first error sticks.
}
