//===- Append.cpp - mla.append --------------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Canonicalization.h"
#include "../Verification.h"

using namespace mlir;
using namespace mla;

/// Which operands there are.
static LogicalResult verifyGroups(AppendOp op, int64_t peWidth) {
  if (!op.getQuery() && !op.getKPeOut() && !op.getCache())
    return op.emitOpError("(C3) expected a destination, one of query, k_pe_out "
                          "and cache, got none");
  for (StringRef name : {"c_kv", "slots"})
    if (failed(op.getCache()
                   ? mla::detail::verifyPresent(op, "C3", name,
                                                "because there is a cache")
                   : mla::detail::verifyAbsent(op, "C3", name,
                                               "because there is no cache")))
      return failure();

  if (op.getKPeOut() && failed(mla::detail::verifyPresent(
                            op, "C4", "k_pe", "because there is a k_pe_out")))
    return failure();
  if (op.getCache() && peWidth > 0 &&
      failed(mla::detail::verifyPresent(op, "C4", "k_pe",
                                        "because the cache's rows have R = " +
                                            Twine(peWidth) + " pe columns")))
    return failure();
  if (!op.getKPeOut() && !op.getCache() &&
      failed(mla::detail::verifyAbsent(
          op, "C4", "k_pe", "because there is neither a cache nor a k_pe_out")))
    return failure();
  for (StringRef name : {"q_nope", "q_pe"})
    if (!op.getQuery() && failed(mla::detail::verifyAbsent(
                              op, "C4", name, "because there is no query")))
      return failure();
  return success();
}

static LogicalResult verifyTypes(AppendOp op) {
  StringRef inputs[] = {"c_kv", "k_pe", "q_nope", "q_pe"};
  Type type = mla::detail::firstElementType(op, inputs);
  // A query that is only rotated in place.
  if (!type)
    return success();
  if (failed(mla::detail::verifyElementType(op, "C6", inputs, type)) ||
      failed(mla::detail::verifyElementType(op, "C6", {"k_pe_out"}, type)))
    return failure();
  Type f8 = Float8E4M3FNType::get(op.getContext());
  if (failed(mla::detail::verifyElementType(op, "C6", {"query"}, {type, f8})))
    return failure();
  return mla::detail::verifyElementType(
      op, "C6", {"cache"}, {type, f8, IntegerType::get(op.getContext(), 8)});
}

LogicalResult AppendOp::verify() {
  FailureOr<DimSizes> dims = solveDims(*this);
  if (failed(dims))
    return failure();
  int64_t peWidth = dims->lookupOrZero("R");
  if (failed(verifyGroups(*this, peWidth)) ||
      failed(mla::detail::verifyLiveRope(*this, "C5", *dims,
                                         /*needsPositions=*/true)) ||
      failed(verifyTypes(*this)))
    return failure();

  if (failed(mla::detail::verifyQueryOfPackedCache(*this, "C7")))
    return failure();
  if (mla::detail::isQuantized(*this, "query")) {
    StringRef reason = "because query is f8E4M3FN";
    if (failed(mla::detail::verifyPresent(*this, "C7", "q_nope", reason)) ||
        (peWidth > 0 &&
         failed(mla::detail::verifyPresent(*this, "C7", "q_pe", reason))))
      return failure();
  }
  if (failed(mla::detail::verifyScale(*this, "C7", "query_scale", "query")))
    return failure();
  return mla::detail::verifyCacheScales(*this, "C7", peWidth);
}

namespace {

/// With nothing rotated, k_pe_out is k_pe, and a query of which no part comes
/// from elsewhere is what it was. Where cu_q is given, padding's rows become 0:
/// that is something to do.
struct DropIdleDestinations : public OpRewritePattern<AppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AppendOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getLiveRope() || op.getCuQ())
      return failure();
    SmallVector<mla::detail::DroppedOperand> dropped;
    if (op.getQuery() && !op.getQNope() && !op.getQPe())
      dropped.push_back({"query", op.getQuery()});
    if (op.getKPeOut())
      if (Value value = mla::detail::castTo(rewriter, op.getKPe(),
                                            op.getKPeOut().getType())) {
        dropped.push_back({"k_pe_out", value});
        if (!op.getCache())
          dropped.push_back({"k_pe", {}});
      }
    if (dropped.empty())
      return failure();
    mla::detail::replaceWithout(rewriter, op, dropped);
    return success();
  }
};

/// cu_q says which rows of the query and of k_pe_out are padding; in the cache
/// slots say it.
struct RemoveUnusedCuQ : public OpRewritePattern<AppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AppendOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !op.getCuQ() || op.getQuery() ||
        op.getKPeOut())
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.eraseNamedOperand("cu_q"); });
    return success();
  }
};

} // namespace

void AppendOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<DropIdleDestinations, RemoveUnusedCuQ>(context);
}
