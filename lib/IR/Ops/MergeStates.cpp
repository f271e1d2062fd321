//===- MergeStates.cpp - mla.merge_states ---------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Canonicalization.h"
#include "../Verification.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mla;

LogicalResult MergeStatesOp::verify() { return success(); }

static bool isMinusInfinity(const APFloat &value) {
  return value.isInfinity() && value.isNegative();
}

/// Whether all elements are known to be -inf.
static bool isMinusInfinity(Value value) {
  APFloat scalar(0.0f);
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return matchPattern(fill.value(), m_ConstantFloat(&scalar)) &&
           isMinusInfinity(scalar);
  auto constant =
      dyn_cast_or_null<DenseFPElementsAttr>(mla::detail::getConstant(value));
  if (!constant)
    return false;
  if (constant.isSplat())
    return isMinusInfinity(constant.getSplatValue<APFloat>());
  return llvm::all_of(constant.getValues<APFloat>(),
                      [](const APFloat &lse) { return isMinusInfinity(lse); });
}

namespace {

/// States that stand for no key leave the accumulator as it is.
struct FoldEmptyStates : public OpRewritePattern<MergeStatesOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MergeStatesOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return failure();
    auto getNumStates = [](Value states) {
      return cast<RankedTensorType>(states.getType()).getDimSize(0);
    };
    if (getNumStates(op.getOStates()) != 0 &&
        getNumStates(op.getLseStates()) != 0 &&
        !isMinusInfinity(op.getLseStates()))
      return failure();
    rewriter.replaceOp(op, {op.getO(), op.getLse()});
    return success();
  }
};

} // namespace

void MergeStatesOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                MLIRContext *context) {
  patterns.add<FoldEmptyStates>(context);
}
