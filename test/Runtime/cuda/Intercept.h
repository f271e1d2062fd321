//===- Intercept.h - What a program asks of the CUDA runtime --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_INTERCEPT_H
#define MLA_TEST_RUNTIME_CUDA_INTERCEPT_H

#include <string>
#include <vector>

namespace mla {
namespace test {

/// Calls of the CUDA runtime in some stretch of the program, made by the
/// libraries that it has loaded too. What cuBLASLt does is not among them: it
/// has a CUDA runtime of its own inside.
struct CudaCalls {
  /// Of functions that allocate, copy or wait, in order.
  std::vector<std::string> blocking;
  int launches = 0;
};

void startCounting();
CudaCalls stopCounting();

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_INTERCEPT_H
