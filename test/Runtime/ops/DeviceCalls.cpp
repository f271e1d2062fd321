//===- DeviceCalls.cpp - Operations on the tests' host tensors ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "DeviceCalls.h"

#include "DeviceCopies.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

#define MLA_OP_BEGIN(op, since, doc)                                           \
  mla_status mla::test::mla_##op(const TestContext &ctx,                       \
                                 const mla_##op##_params *params) {            \
    ctx.lastFunction = "mla_" #op;                                             \
    if (!testBackend().hasOwnMemory)                                           \
      return ::mla_##op(ctx, params);                                          \
    mla_##op##_params own = *params;                                           \
    DeviceCopies copies;                                                       \
    copies.take(own);                                                          \
    copies.upload();                                                           \
    mla_status status = ::mla_##op(ctx, &own);                                 \
    copies.download(ctx);                                                      \
    return status;                                                             \
  }
#include "mla_runtime/ops.def"
