//===- Attention.cpp - mla.attention --------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult AttentionOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  int64_t peWidth = dims->lookupOrZero("R");
  if (peWidth > 0 && failed(mla::detail::verifyPresent(
                         *this, "C3", "k_pe", "because R = " + Twine(peWidth))))
    return failure();
  if (failed(mla::detail::verifyLiveRope(*this, "C4", *dims,
                                         /*needsPositions=*/false)))
    return failure();

  Type type = getElementTypeOrSelf(getQ());
  if (failed(mla::detail::verifyElementType(
          *this, "C5", {"c_kv", "k_pe", "w_kv_b", "out"}, type)) ||
      failed(mla::detail::verifyElementType(
          *this, "C5", {"cache"},
          {type, Float8E4M3FNType::get(getContext()),
           IntegerType::get(getContext(), 8)})) ||
      failed(mla::detail::verifyCacheScales(*this, "C6", peWidth)))
    return failure();
  if (!mla::detail::isQuantized(*this, "cache") &&
      failed(mla::detail::verifyAbsent(*this, "C6", "query_scale",
                                       "because cache is not f8E4M3FN")))
    return failure();
  if (failed(mla::detail::verifySoftmaxScale(*this, "C7", getSoftmaxScale())))
    return failure();

  if (getNumGenerationSeqs())
    return mla::detail::verifyPresent(*this, "C8", "num_generation_tokens",
                                      "beside num_generation_seqs");
  return mla::detail::verifyAbsent(*this, "C8", "num_generation_tokens",
                                   "without num_generation_seqs");
}
