//===- Main.cpp - The operations' tests on the CUDA backend ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
//     PROGRAM [--device=N] [GoogleTest's options]
//
// Exits 77 where there is no GPU that the backend could run on, or a library is
// missing, and says why.
//
//===----------------------------------------------------------------------===//

#include "TestBackend.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mla;
using namespace mla::test;

static mla_status tryDevice() {
  const TestBackend &backend = testBackend();
  mla_context *ctx = nullptr;
  mla_status status =
      mla_context_create(backend.name.c_str(), backend.device, &ctx);
  mla_context_destroy(ctx);
  return status;
}

namespace {
/// Ends the program when a test has left a GPU that no longer answers: what
/// comes after it would fail for that reason alone.
class StopWhenLost : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo &test) override {
    if (test.result()->Passed() || tryDevice() == MLA_STATUS_OK)
      return;
    std::printf("[  FAILED  ] %s.%s lost the GPU (%s); the tests after it were "
                "not run\n",
                test.test_suite_name(), test.name(), mla_last_error(nullptr));
    std::fflush(stdout);
    std::_Exit(1);
  }
};
} // namespace

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  testBackend().name = "cuda";
  testBackend().deviceType = MLA_DEVICE_CUDA;
  testBackend().hasOwnMemory = true;
  const char option[] = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], option, std::strlen(option)) != 0) {
      std::fprintf(stderr, "%s: error: expected --device=N, got '%s'\n",
                   argv[0], argv[i]);
      return 2;
    }
    testBackend().device = std::atoi(argv[i] + std::strlen(option));
  }
  // Their names alone can be had without a GPU.
  mla_status status = MLA_STATUS_OK;
  if (!testing::GTEST_FLAG(list_tests))
    status = tryDevice();
  bool isAbsent =
      status == MLA_STATUS_NOT_FOUND || status == MLA_STATUS_UNIMPLEMENTED;
  if (status != MLA_STATUS_OK) {
    std::printf("%s: %s\n", isAbsent ? "skipped" : "failed",
                mla_last_error(nullptr));
    return isAbsent ? 77 : 1;
  }
  testing::UnitTest::GetInstance()->listeners().Append(new StopWhenLost);
  return RUN_ALL_TESTS();
}
