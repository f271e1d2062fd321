//===- DisableRope.cpp - mla-disable-rope ---------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Passes.h"

namespace mla {
#define GEN_PASS_DEF_MLADISABLEROPE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

struct DisableRope : public mla::impl::MLADisableRopeBase<DisableRope> {
  using MLADisableRopeBase::MLADisableRopeBase;

  void runOnOperation() override {}
};

} // namespace
