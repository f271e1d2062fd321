//===- ExpandedAttention.cpp - mla.expanded_attention ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

/// Keys are either ragged or a window, padded per sequence.
static LogicalResult verifyKeys(ExpandedAttentionOp op) {
  if (op.getCuK()) {
    for (StringRef name : {"kv_lens", "window_start", "window_length"})
      if (failed(mla::detail::verifyAbsent(op, "C4", name, "beside cu_k")))
        return failure();
    return success();
  }
  for (StringRef name : {"kv_lens", "window_length"})
    if (failed(mla::detail::verifyPresent(op, "C4", name, "without cu_k")))
      return failure();
  return success();
}

LogicalResult ExpandedAttentionOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  if (failed(mla::detail::verifySoftmaxScale(*this, "C3", getSoftmaxScale())) ||
      failed(verifyKeys(*this)))
    return failure();
  int64_t peWidth = dims->lookupOrZero("R");
  if (peWidth > 0 && failed(mla::detail::verifyPresent(
                         *this, "C5", "k_pe", "because R = " + Twine(peWidth))))
    return failure();

  Type type = getElementTypeOrSelf(getQ());
  if (failed(mla::detail::verifyElementType(*this, "C6",
                                            {"k_nope", "k_pe", "v"}, type)))
    return failure();
  return mla::detail::verifyElementType(*this, "C6", {"o"},
                                        {type, Float32Type::get(getContext())});
}
