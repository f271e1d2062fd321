//===- TestContext.h - A context that the tests call through --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_TESTCONTEXT_H
#define MLA_TEST_RUNTIME_OPS_TESTCONTEXT_H

#include "DeviceCalls.h"
#include "TestBackend.h"

#include <gtest/gtest.h>

#include <string>

namespace mla {
namespace test {

/// A context of the process's backend.
class TestContext {
public:
  TestContext() {
    const TestBackend &backend = testBackend();
    mla_status status =
        mla_context_create(backend.name.c_str(), backend.device, &ctx);
    EXPECT_EQ(status, MLA_STATUS_OK) << mla_last_error(nullptr);
  }
  ~TestContext() { mla_context_destroy(ctx); }
  TestContext(const TestContext &) = delete;
  TestContext &operator=(const TestContext &) = delete;

  operator mla_context *() const { return ctx; }

  std::string error() const { return mla_last_error(ctx); }

  /// Of the operation called last.
  mutable std::string lastFunction;

private:
  mla_context *ctx = nullptr;
};

/// Parameters of an operation, all absent.
template <typename Params> Params makeParams() {
  Params params = {};
  params.struct_size = sizeof(Params);
  return params;
}

/// A test of one operation: a context, in which every call is to succeed and no
/// bad value is to be met unless the test says otherwise.
class OpTest : public testing::Test {
protected:
  void TearDown() override {
    EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  }

  /// Asserts that the last operation recorded a fault, whose text holds `what`
  /// and `value`, and that the context is none the worse.
  void expectFault(const std::string &what, const std::string &value) {
    EXPECT_EQ(mla_context_status(ctx), MLA_STATUS_OK) << ctx.error();
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_DATA_ERROR);
    EXPECT_EQ(ctx.error().find(ctx.lastFunction + ": "), 0u) << ctx.error();
    EXPECT_NE(ctx.error().find(what), std::string::npos) << ctx.error();
    EXPECT_NE(ctx.error().find(value), std::string::npos) << ctx.error();
    EXPECT_EQ(mla_context_check(ctx), MLA_STATUS_OK) << ctx.error();
  }

  /// Asserts that the last call was refused as unimplemented, for `argument`.
  void expectUnimplemented(mla_status status, const std::string &argument) {
    EXPECT_EQ(status, MLA_STATUS_UNIMPLEMENTED);
    EXPECT_NE(ctx.error().find(argument), std::string::npos) << ctx.error();
    mla_context_clear_error(ctx);
  }

  TestContext ctx;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_TESTCONTEXT_H
