//===- Rope.cpp - mla.rope ------------------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Canonicalization.h"
#include "../Verification.h"

using namespace mlir;
using namespace mla;

LogicalResult RopeOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims) || failed(mla::detail::verifyLiveRope(
                          *this, "C3", *dims, /*needsPositions=*/true)))
    return failure();
  if (failed(mla::detail::verifyElementType(
          *this, "C4", {"y"},
          {getElementTypeOrSelf(getX()), Float32Type::get(getContext())})))
    return failure();
  int64_t rank = cast<ShapedType>(getX().getType()).getRank();
  if (rank != 2 && rank != 3)
    return mla::detail::violation(*this, "C5", "x")
           << "expected rank 2 or 3, got " << rank;
  return success();
}

namespace {

/// Nothing to rotate and nothing to convert: the result is the input.
struct FoldIdleRope : public OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RopeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getLiveRope())
      return failure();
    Value value = mla::detail::castTo(rewriter, op.getX(), op.getY().getType());
    if (!value)
      return failure();
    rewriter.replaceOp(op, value);
    return success();
  }
};

} // namespace

void RopeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<FoldIdleRope>(context);
}
