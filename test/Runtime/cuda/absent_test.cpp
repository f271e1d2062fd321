//===- absent_test.cpp - A machine without a GPU --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// On a machine that has one, the program hides it from itself.
//
//===----------------------------------------------------------------------===//

#include "TestContext.h"
#include "TestTensor.h"

#include <cstdlib>

using namespace mla;
using namespace mla::test;

namespace {

TEST(CudaAbsentTest, OneSentenceSaysWhatIsMissing) {
  // Said again when asked again.
  for (int i = 0; i < 2; ++i) {
    mla_context *ctx = nullptr;
    EXPECT_EQ(mla_context_create("cuda", 0, &ctx), MLA_STATUS_NOT_FOUND);
    EXPECT_EQ(ctx, nullptr);
    const std::string error = mla_last_error(nullptr);
    EXPECT_EQ(error.find("mla_context_create: backend 'cuda': expected "), 0u)
        << error;
    EXPECT_NE(error.find(", got"), std::string::npos) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(CudaAbsentTest, TheCpuBackendWorks) {
  mla_context *none = nullptr;
  ASSERT_EQ(mla_context_create("cuda", 0, &none), MLA_STATUS_NOT_FOUND);
  TestContext ctx;
  TestTensor dst(MLA_DTYPE_F32, {2}, {0, 0});
  auto params = makeParams<mla_fill_params>();
  params.dst = dst.get();
  params.value = 3;
  EXPECT_EQ(mla_fill(ctx, &params), MLA_STATUS_OK) << ctx.error();
  EXPECT_EQ(dst.array().data, (std::vector<double>{3, 3}));
}

} // namespace

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  return RUN_ALL_TESTS();
}
