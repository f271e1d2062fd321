//===- AbsorbedAttention.cpp - mla.absorbed_attention ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult AbsorbedAttentionOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  if (failed(mla::detail::verifySoftmaxScale(*this, "C3", getSoftmaxScale())) ||
      failed(mla::detail::verifyQueryOfPackedCache(*this, "C4")) ||
      failed(mla::detail::verifyScale(*this, "C4", "query_scale", "query")) ||
      failed(
          mla::detail::verifyCacheScales(*this, "C4", dims->lookupOrZero("R"))))
    return failure();

  SmallVector<StringRef> inputs;
  for (StringRef name : {"query", "cache"})
    if (!mla::detail::isQuantized(*this, name) &&
        !mla::detail::isPacked(*this, name))
      inputs.push_back(name);
  // Nothing is said of the output where both are quantized.
  Type type = mla::detail::firstElementType(*this, inputs);
  if (!type)
    return success();
  if (failed(mla::detail::verifyElementType(*this, "C5", inputs, type)))
    return failure();
  return mla::detail::verifyElementType(*this, "C5", {"o"},
                                        {type, Float32Type::get(getContext())});
}
