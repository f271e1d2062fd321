//===- EmptyOperandCanonicalization.cpp - Operands without elements -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"
#include "mla/IR/DimSolver.h"

using namespace mlir;
using namespace mla;

static bool hasNoElements(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && llvm::is_contained(type.getShape(), 0);
}

namespace {

/// With R = 0 there are no pe operands. (Of other operands without elements
/// this can't be said: with topk = 0 a token sees nothing.)
struct RemoveZeroWidthOperands
    : public OpInterfaceRewritePattern<MLAOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(MLAOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (!mla::detail::isOnTensors(op))
      return failure();
    SmallVector<mla::detail::DroppedOperand> dropped;
    for (auto [index, spec] : llvm::enumerate(op.getOperandSpecs())) {
      Value value = op.getSpecOperand(index);
      if (!value || !spec.isOptional || !spec.dims.ends_with(",R"))
        continue;
      // The table of a dead rope may be of any rank.
      ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
      if (shape.empty() || shape.back() != 0)
        continue;
      dropped.push_back({spec.name, spec.isInit ? value : Value()});
    }
    if (dropped.empty())
      return failure();
    mla::detail::replaceWithout(rewriter, op, dropped);
    return success();
  }
};

/// Concatenations with something of width 0, as front ends write for R = 0,
/// don't bufferize.
struct SkipZeroWidthConcat : public OpInterfaceRewritePattern<MLAOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(MLAOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (!mla::detail::isOnTensors(op))
      return failure();
    bool changed = false;
    for (OpOperand &operand : op->getOpOperands()) {
      auto concat = operand.get().getDefiningOp<tensor::ConcatOp>();
      if (!concat)
        continue;
      Value shorter = withoutEmptyInputs(concat, rewriter);
      if (!shorter)
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(shorter); });
      if (concat->use_empty())
        rewriter.eraseOp(concat);
      changed = true;
    }
    return success(changed);
  }

private:
  static Value withoutEmptyInputs(tensor::ConcatOp concat,
                                  PatternRewriter &rewriter) {
    auto isEmpty = [&](Value input) {
      return cast<RankedTensorType>(input.getType())
                 .getDimSize(concat.getDim()) == 0;
    };
    SmallVector<Value> inputs(llvm::make_filter_range(
        concat.getInputs(), [&](Value input) { return !isEmpty(input); }));
    if (inputs.empty() || inputs.size() == concat.getInputs().size())
      return {};
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(concat);
    if (inputs.size() == 1)
      return mla::detail::castTo(rewriter, inputs.front(), concat.getType());
    return tensor::ConcatOp::create(rewriter, concat.getLoc(), concat.getType(),
                                    concat.getDim(), inputs);
  }
};

/// Without tokens, or with nothing but empty destinations, nothing is written.
struct FoldWithoutTokens : public OpInterfaceRewritePattern<MLAOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(MLAOpInterface op,
                                PatternRewriter &rewriter) const override {
    auto dpsOp = cast<DestinationStyleOpInterface>(op.getOperation());
    if (!mla::detail::isOnTensors(op) ||
        !(llvm::all_of(dpsOp.getDpsInits(), hasNoElements) ||
          (writesRowsOfTokens(op) && hasNoTokens(op))))
      return failure();
    rewriter.replaceOp(op, llvm::to_vector(dpsOp.getDpsInits()));
    return success();
  }

private:
  /// Whether no token leaves all destinations alone, the cache included.
  static bool writesRowsOfTokens(MLAOpInterface op) {
    return isa<AppendOp, AttentionOp>(op);
  }

  static bool hasNoTokens(MLAOpInterface op) {
    FailureOr<DimSizes> dims = solveDims(op);
    return succeeded(dims) && dims->lookup("T") == 0;
  }
};

} // namespace

void mla::detail::populateEmptyOperandCanonicalization(
    RewritePatternSet &patterns) {
  patterns.add<RemoveZeroWidthOperands, SkipZeroWidthConcat, FoldWithoutTokens>(
      patterns.getContext());
}
