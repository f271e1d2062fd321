//===- RopeCanonicalization.cpp - Ropes that rotate nothing ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mla;

/// Whether all rows of a table [max_pos, R] have cos = 1 and sin = 0.
template <typename Range> static bool isIdentity(Range &&table, int64_t width) {
  int64_t column = 0;
  for (float value : table) {
    if (value != (column < width / 2 ? 1.0f : 0.0f))
      return false;
    if (++column == width)
      column = 0;
  }
  return true;
}

static bool isIdentityTable(Value table) {
  ElementsAttr constant = mla::detail::getConstant(table);
  // cos and sin differ in an identity; and an empty table has no row for any
  // token, so it says nothing.
  if (!constant || constant.empty() || constant.isSplat())
    return false;
  int64_t width = constant.getShapedType().getDimSize(1);
  if (auto resource = dyn_cast<DenseF32ResourceElementsAttr>(constant)) {
    std::optional<ArrayRef<float>> values = resource.tryGetAsArrayRef();
    return values && isIdentity(*values, width);
  }
  if (auto dense = dyn_cast<DenseFPElementsAttr>(constant))
    return isIdentity(dense.getValues<float>(), width);
  return false;
}

static void removeRope(PatternRewriter &rewriter, RopeOpInterface op,
                       StringRef reason) {
  rewriter.modifyOpInPlace(op, [&] {
    if (!reason.empty())
      op.noteRopeOff(reason);
    op.setRopeAttr({});
    auto mlaOp = cast<MLAOpInterface>(op.getOperation());
    mlaOp.eraseNamedOperand("cos_sin");
    mlaOp.eraseNamedOperand("positions");
  });
}

namespace {

/// A rope that isn't live goes, and what only a live one needs.
struct RemoveDeadRope : public OpInterfaceRewritePattern<RopeOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(RopeOpInterface op,
                                PatternRewriter &rewriter) const override {
    RopeAttr rope = op.getRopeAttr();
    if (!mla::detail::isOnTensors(op) || op.getLiveRope() ||
        (!rope && !op.getCosSin() && !op.getPositions()))
      return failure();
    StringRef reason;
    if (rope)
      reason =
          rope.getEnabled() ? "head_dim = 0" : "disabled in the rope attribute";
    removeRope(rewriter, op, reason);
    return success();
  }
};

/// A table that leaves every row as it is is no rotation. Positions don't
/// matter: a table's row 0 may carry a factor.
struct RemoveIdentityRope : public OpInterfaceRewritePattern<RopeOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(RopeOpInterface op,
                                PatternRewriter &rewriter) const override {
    if (!mla::detail::isOnTensors(op) || !op.getLiveRope() ||
        !isIdentityTable(op.getCosSin()))
      return failure();
    removeRope(rewriter, op, "identity table");
    return success();
  }
};

} // namespace

void mla::detail::populateRopeCanonicalization(RewritePatternSet &patterns) {
  patterns.add<RemoveDeadRope, RemoveIdentityRope>(patterns.getContext());
}
