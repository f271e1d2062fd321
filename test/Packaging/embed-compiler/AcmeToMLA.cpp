//===- AcmeToMLA.cpp - From Acme's attention to mla.attention -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Acme.h"
#include "mla/IR/MLAOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace {

struct LowerCachedAttention : public OpRewritePattern<acme::CachedAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(acme::CachedAttentionOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto outType = cast<RankedTensorType>(op.getOut().getType());
    int64_t kvWidth = cast<ShapedType>(op.getKv().getType()).getDimSize(1);
    int64_t latent = cast<ShapedType>(op.getKvB().getType()).getDimSize(2);

    // A slice is a view of its tensor once there are buffers: nothing is
    // copied.
    OpFoldResult tokens = tensor::getMixedSize(rewriter, loc, op.getQ(), 0);
    OpFoldResult zero = rewriter.getIndexAttr(0),
                 one = rewriter.getIndexAttr(1);
    auto columns = [&](int64_t begin, int64_t end) -> Value {
      return tensor::ExtractSliceOp::create(
          rewriter, loc, op.getKv(), {zero, rewriter.getIndexAttr(begin)},
          {tokens, rewriter.getIndexAttr(end - begin)}, {one, one});
    };
    // A model without positional columns has no operand for them.
    Value latentKeys = columns(0, latent);
    Value pe = latent < kvWidth ? columns(latent, kvWidth) : Value();

    Value out = tensor::EmptyOp::create(
        rewriter, loc,
        {tokens, rewriter.getIndexAttr(outType.getDimSize(1)),
         rewriter.getIndexAttr(outType.getDimSize(2))},
        outType.getElementType());
    rewriter.replaceOpWithNewOp<mla::AttentionOp>(
        op, op.getResultTypes(), op.getQ(), latentKeys, pe, op.getKvB(),
        op.getPages(), op.getLens(), op.getStarts(), op.getTable(),
        /*positions=*/nullptr, /*query_scale=*/nullptr,
        /*latent_scale=*/nullptr, /*pe_scale=*/nullptr, /*sinks=*/nullptr,
        /*indices=*/nullptr, /*max_kv=*/nullptr,
        /*num_generation_seqs=*/nullptr, /*num_generation_tokens=*/nullptr, out,
        op.getCache(), op.getRope(), op.getScaleAttr(),
        /*rounding=*/nullptr, /*phase=*/nullptr);
    return success();
  }
};

struct AcmeToMLAPass : public PassWrapper<AcmeToMLAPass, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AcmeToMLAPass)

  StringRef getArgument() const override { return "acme-to-mla"; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<mla::MLADialect, tensor::TensorDialect>();
  }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerCachedAttention>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> acme::createAcmeToMLAPass() {
  return std::make_unique<AcmeToMLAPass>();
}
