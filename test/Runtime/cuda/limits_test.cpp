//===- limits_test.cpp - Sizes that the CUDA backend refuses --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AttentionCase.h"

using namespace mla;
using namespace mla::test;

namespace {

// Each in mode PLAN, which asks for no memory: no tensor is so large.
TEST(CudaLimitsTest, CountsUpToABlockBelow32BitsAreRefused) {
  TestContext ctx;
  ASSERT_EQ(mla_context_set_mode(ctx, MLA_MODE_PLAN), MLA_STATUS_OK);
  Random random(1);
  CacheSpec spec;
  AttentionCase c(random, PagedBatch(random, spec, {40}, {2}, 0), 2,
                  MLA_DTYPE_F32, MLA_DTYPE_F32);
  c.indices = TestTensor(MLA_DTYPE_I32, {2, 1}, {0, 0});
  mla_absorbed_attention_params params = c.params();
  EXPECT_EQ(::mla_absorbed_attention(ctx, &params), MLA_STATUS_OK)
      << ctx.error();
  mla_tensor table = *params.page_table, indices = *params.indices;
  for (int64_t count : {INT32_MAX - 63, INT32_MAX}) {
    // The same element again and again.
    table.shape[1] = indices.shape[1] = count;
    table.strides[1] = indices.strides[1] = 0;
    for (bool isTable : {true, false}) {
      params = c.params();
      (isTable ? params.page_table : params.indices) =
          isTable ? &table : &indices;
      EXPECT_EQ(::mla_absorbed_attention(ctx, &params),
                MLA_STATUS_UNIMPLEMENTED);
      EXPECT_NE(ctx.error().find(isTable ? "page_table: expected at most"
                                         : "indices: expected at most"),
                std::string::npos)
          << ctx.error();
      mla_context_clear_error(ctx);
    }
  }
}

} // namespace
