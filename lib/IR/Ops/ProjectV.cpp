//===- ProjectV.cpp - mla.project_v ---------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult ProjectVOp::verify() {
  return mla::detail::verifyElementType(*this, "C3", {"w_uv", "out"},
                                        getElementTypeOrSelf(getOLatent()));
}
