//===- backend_test.cpp - What only the CPU backend is asked --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "mla_runtime/runtime.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(CpuBackendCreateTest, HasOneDevice) {
  mla_context *ctx = nullptr;
  EXPECT_NE(mla_context_create("cpu", 1, &ctx), MLA_STATUS_OK);
  EXPECT_EQ(ctx, nullptr);
  EXPECT_NE(std::string(mla_last_error(nullptr)), "");
}

} // namespace
