//===- Decompose.cpp - mla-decompose --------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mla {
#define GEN_PASS_DEF_MLADECOMPOSE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

/// Keys of a sequence that form=auto rebuilds at a time: 4096 rows of a model
/// of 16 heads and N + V = 256 are 32 MiB in 16 bits, and long enough that
/// merging partial states costs little beside them.
constexpr int64_t kAutoChunkLength = 4096;

struct Decompose : public mla::impl::MLADecomposeBase<Decompose> {
  using MLADecomposeBase::MLADecomposeBase;

  LogicalResult initialize(MLIRContext *context) override {
    auto check = [&](StringRef option, StringRef got, StringRef allowed) {
      SmallVector<StringRef> values;
      allowed.split(values, ' ');
      if (llvm::is_contained(values, got))
        return success();
      return LogicalResult(emitError(UnknownLoc::get(context))
                           << "mla-decompose: " << option
                           << ": expected one of " << allowed << ", got '"
                           << got << "'");
    };
    if (failed(check("form", form, "absorbed expanded auto")) ||
        failed(check("granularity", granularity, "fused fine")))
      return failure();
    if (chunkLength < -1 || chunkLength > INT32_MAX)
      return emitError(UnknownLoc::get(context))
             << "mla-decompose: chunk-length: expected -1 to " << INT32_MAX
             << ", got " << int64_t(chunkLength);
    if (chunkLength >= 0 && form == "absorbed")
      return emitError(UnknownLoc::get(context))
             << "mla-decompose: chunk-length: expected form=expanded or "
                "form=auto with it, got form=absorbed";
    return success();
  }

  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : ops)
      if (failed(decompose(rewriter, op)))
        return signalPassFailure();
  }

  LogicalResult decompose(RewriterBase &rewriter, AttentionOp op) {
    rewriter.setInsertionPoint(op);
    mla::detail::FormBuilder builder(rewriter, op, granularity == "fine");
    if (failed(builder.solveSizes()))
      return failure();
    // No token: nothing is appended and nothing computed.
    if (isZeroInteger(builder.tokens)) {
      rewriter.replaceOp(op, ValueRange{op.getOut(), op.getCache()});
      return success();
    }
    if (form == "expanded")
      return buildExpandedForm(builder, std::max<int64_t>(chunkLength, 0));
    if (form == "auto")
      return buildAutoForm(builder,
                           chunkLength < 0 ? kAutoChunkLength : chunkLength);
    mla::detail::buildAbsorbedForm(builder);
    return success();
  }
};

} // namespace
