//===- AbsorbQ.cpp - mla.absorb_q -----------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult AbsorbQOp::verify() {
  return mla::detail::verifyElementType(*this, "C3", {"w_uk", "query"},
                                        getElementTypeOrSelf(getQNope()));
}
