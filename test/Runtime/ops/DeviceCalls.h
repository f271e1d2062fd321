//===- DeviceCalls.h - Operations on the tests' host tensors --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A test's tensors are on the host. Called with a TestContext, an operation's
// name means the function here: on the CPU the ABI's own, on a device the same
// on copies of all that memory, guards and gaps included, which comes back
// whole, so that a canary sees every byte that the device wrote.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_DEVICECALLS_H
#define MLA_TEST_RUNTIME_OPS_DEVICECALLS_H

#include "mla_runtime/runtime.h"

namespace mla {
namespace test {

class TestContext;

#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status mla_##op(const TestContext &ctx, const mla_##op##_params *params);
#include "mla_runtime/ops.def"

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_DEVICECALLS_H
