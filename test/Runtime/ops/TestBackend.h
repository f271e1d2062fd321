//===- TestBackend.h - The backend that the tests run on ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_TESTBACKEND_H
#define MLA_TEST_RUNTIME_OPS_TESTBACKEND_H

#include "TestTensor.h"

#include <cstdint>
#include <string>

namespace mla {
namespace test {

/// What every TestContext of the process is made for; a program's main() may
/// set it, before any test.
struct TestBackend {
  std::string name = "cpu";
  int32_t device = 0;
  int32_t deviceType = MLA_DEVICE_CPU;
  /// The operations can't reach the tests' own memory.
  bool hasOwnMemory = false;

  bool isCpu() const { return name == "cpu"; }
};

inline TestBackend &testBackend() {
  static TestBackend backend;
  return backend;
}

/// What attention is within. The CPU keeps every intermediate in f32; a GPU's
/// matrix units take the softmax's weights in 16 bits where the query has no
/// more.
inline double attentionTolerance(uint32_t query, uint32_t out) {
  bool isExact = testBackend().isCpu() || query == MLA_DTYPE_F32;
  return isExact ? tolerance(out) : tolerance(MLA_DTYPE_BF16);
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_TESTBACKEND_H
