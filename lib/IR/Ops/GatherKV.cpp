//===- GatherKV.cpp - mla.gather_kv ---------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult GatherKVOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  int64_t peWidth = dims->lookupOrZero("R");
  if (failed(mla::detail::verifyPresent(*this, "C3", "window_length",
                                        "that says how many rows")))
    return failure();
  if (peWidth > 0 && failed(mla::detail::verifyPresent(
                         *this, "C4", "k_pe", "because R = " + Twine(peWidth))))
    return failure();
  if (failed(mla::detail::verifyCacheScales(*this, "C5", peWidth)))
    return failure();
  bool isConverted = mla::detail::isQuantized(*this, "cache") ||
                     mla::detail::isPacked(*this, "cache");
  Type type = getElementTypeOrSelf(isConverted ? getCKv() : getCache());
  return mla::detail::verifyElementType(*this, "C5", {"c_kv", "k_pe"}, type);
}
