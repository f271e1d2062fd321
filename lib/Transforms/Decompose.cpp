//===- Decompose.cpp - mla-decompose --------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace mla {
#define GEN_PASS_DEF_MLADECOMPOSE
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

/// Emits the absorbed form of one mla.attention.
class AbsorbedForm {
public:
  AbsorbedForm(RewriterBase &rewriter, AttentionOp op)
      : rewriter(rewriter), op(op), loc(op.getLoc()) {}

  LogicalResult run();

private:
  LogicalResult solveSizes();
  Value createEmpty(ArrayRef<OpFoldResult> sizes, Type elementType);
  /// Columns (rows of weights) of `dim`. All of them: the tensor itself.
  Value slice(Value source, int64_t dim, int64_t offset,
              ArrayRef<OpFoldResult> sizes);
  OpFoldResult index(int64_t size) { return rewriter.getIndexAttr(size); }
  /// The attributes of `append`, without the rope where it isn't live.
  void setAppendAttributes(AppendOp append);
  /// Appends to the cache and completes the query; returns both.
  std::pair<Value, Value> createAppend(Value positions, Value slots);

  RewriterBase &rewriter;
  AttentionOp op;
  Location loc;

  int64_t latent = 0, nope = 0, pe = 0, value = 0, pageSize = 0;
  OpFoldResult tokens, heads;
};

} // namespace

LogicalResult AbsorbedForm::solveSizes() {
  if (!isa<RankedTensorType>(op.getQ().getType()))
    return op.emitOpError("mla-decompose: expected tensors, got memrefs");
  FailureOr<DimSizes> sizes = solveDims(op, [&] { return op.emitOpError(); });
  if (failed(sizes))
    return failure();
  for (auto [symbol, size] : {std::pair<StringRef, int64_t *>{"L", &latent},
                              {"N", &nope},
                              {"V", &value},
                              {"P", &pageSize}}) {
    std::optional<int64_t> known = sizes->lookup(symbol);
    // Slices of width zero are not valid IR.
    if (!known || *known <= 0)
      return op.emitOpError("mla-decompose: expected a static, positive ")
             << symbol << ", got " << (known ? Twine(*known) : Twine("?"));
    *size = *known;
  }
  pe = op.getKPe() ? sizes->lookupOrZero("R") : 0;

  // A size that any operand tells is static everywhere.
  auto getSize = [&](StringRef symbol, int64_t dim) -> OpFoldResult {
    if (std::optional<int64_t> known = sizes->lookup(symbol))
      return rewriter.getIndexAttr(*known);
    return tensor::getMixedSize(rewriter, loc, op.getQ(), dim);
  };
  tokens = getSize("T", 0);
  heads = getSize("H", 1);
  return success();
}

Value AbsorbedForm::createEmpty(ArrayRef<OpFoldResult> sizes,
                                Type elementType) {
  return tensor::EmptyOp::create(rewriter, loc, sizes, elementType);
}

Value AbsorbedForm::slice(Value source, int64_t dim, int64_t offset,
                          ArrayRef<OpFoldResult> sizes) {
  int64_t width = cast<RankedTensorType>(source.getType()).getDimSize(dim);
  if (offset == 0 && getConstantIntValue(sizes[dim]) == width)
    return source;
  SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
  offsets[dim] = rewriter.getIndexAttr(offset);
  return tensor::ExtractSliceOp::create(rewriter, loc, source, offsets, sizes,
                                        strides);
}

void AbsorbedForm::setAppendAttributes(AppendOp append) {
  append->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  append.setRoundingAttr(op.getRoundingAttr());
  append.setPhaseAttr(op.getPhaseAttr());
  append.setRopeAttr(op.getLiveRope());
  if (RopeAttr rope = op.getRopeAttr(); rope && !rope.isLive())
    cast<RopeOpInterface>(append.getOperation())
        .noteRopeOff(rope.getEnabled() ? "head_dim = 0"
                                       : "disabled in the rope attribute");
}

std::pair<Value, Value> AbsorbedForm::createAppend(Value positions,
                                                   Value slots) {
  Type inputType = getElementTypeOrSelf(op.getQ());
  OpFoldResult width = index(latent + pe);
  bool quantizeQuery = static_cast<bool>(op.getQueryScale());
  // Where the query is neither widened nor quantized, absorb_q has completed
  // it.
  bool assembleQuery = pe != 0 || quantizeQuery;

  Value qNope = slice(op.getQ(), 2, 0, {tokens, heads, index(nope)});
  Value wUk = slice(op.getWKvB(), 1, 0, {heads, index(nope), index(latent)});
  // One buffer for the whole query, its latent columns written by absorb_q; a
  // quantized query can't be written before it is complete.
  bool widen = pe != 0 && !quantizeQuery;
  Value query =
      createEmpty({tokens, heads, widen ? width : index(latent)}, inputType);
  Value absorbedInit =
      widen ? slice(query, 2, 0, {tokens, heads, index(latent)}) : query;
  Value absorbed = AbsorbQOp::create(rewriter, loc, absorbedInit.getType(),
                                     qNope, wUk, absorbedInit)
                       ->getResult(0);
  if (widen) {
    auto latentColumns = absorbedInit.getDefiningOp<tensor::ExtractSliceOp>();
    query = tensor::InsertSliceOp::create(
        rewriter, loc, absorbed, query, latentColumns.getMixedOffsets(),
        latentColumns.getMixedSizes(), latentColumns.getMixedStrides());
  } else {
    query = absorbed;
  }
  if (quantizeQuery)
    query = createEmpty({tokens, heads, width},
                        getElementTypeOrSelf(op.getCache()));

  bool rotate = static_cast<bool>(op.getLiveRope());
  SmallVector<Type> types;
  if (assembleQuery)
    types.push_back(query.getType());
  types.push_back(op.getCache().getType());
  auto append = AppendOp::create(
      rewriter, loc, types, op.getCKv(), op.getKPe(),
      quantizeQuery ? absorbed : Value(),
      pe ? slice(op.getQ(), 2, nope, {tokens, heads, index(pe)}) : Value(),
      slots, rotate ? op.getCosSin() : Value(), rotate ? positions : Value(),
      assembleQuery ? op.getCuQ() : Value(), op.getQueryScale(),
      op.getLatentScale(), op.getPeScale(), assembleQuery ? query : Value(),
      /*k_pe_out=*/Value(), op.getCache(), RopeAttr(), RoundingAttr(),
      PhaseAttr());
  setAppendAttributes(append);
  return {assembleQuery ? append.getNamedResult("query") : query,
          append.getNamedResult("cache")};
}

LogicalResult AbsorbedForm::run() {
  rewriter.setInsertionPoint(op);
  if (failed(solveSizes()))
    return failure();
  // No token: nothing is appended and nothing computed.
  if (getConstantIntValue(tokens) == 0) {
    rewriter.replaceOp(op, ValueRange{op.getOut(), op.getCache()});
    return success();
  }

  Type i64 = rewriter.getI64Type();
  SmallVector<Value> mapped = {createEmpty(tokens, i64),
                               createEmpty(tokens, i64)};
  auto mapping = SlotMappingOp::create(
      rewriter, loc, TypeRange(ValueRange(mapped)), op.getKvLens(), op.getCuQ(),
      op.getPageTable(), /*cp_rank=*/Value(), mapped[0], mapped[1],
      /*local_kv_lens=*/Value(), /*kv_bounds=*/Value(), pageSize,
      /*cp_size=*/IntegerAttr(), /*cp_interleave=*/IntegerAttr());
  Value positions = op.getPositions() ? op.getPositions()
                                      : mapping.getNamedResult("positions");
  auto [query, cache] =
      createAppend(positions, mapping.getNamedResult("slots"));

  Value o = createEmpty({tokens, heads, index(latent)},
                        getElementTypeOrSelf(op.getQ()));
  auto attention = AbsorbedAttentionOp::create(
      rewriter, loc, o.getType(), query, cache, op.getPageTable(),
      op.getKvLens(), op.getCuQ(), /*kv_bounds=*/Value(), /*schedule=*/Value(),
      op.getQueryScale(), op.getLatentScale(), op.getPeScale(), op.getSinks(),
      op.getIndices(), op.getMaxKv(), o, /*lse=*/Value(),
      op.getSoftmaxScaleAttr());
  auto project = ProjectVOp::create(
      rewriter, loc, op.getOut().getType(), attention.getNamedResult("o"),
      slice(op.getWKvB(), 1, nope, {heads, index(value), index(latent)}),
      op.getOut());
  rewriter.replaceOp(op, ValueRange{project->getResult(0), cache});
  return success();
}

namespace {

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
    return success(succeeded(check("form", form, "absorbed expanded auto")) &&
                   succeeded(check("granularity", granularity, "fused fine")));
  }

  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : ops) {
      if (form != "absorbed") {
        op.emitOpError("mla-decompose: not implemented yet: form=") << form;
        return signalPassFailure();
      }
      if (granularity != "fused") {
        op.emitOpError("mla-decompose: not implemented yet: granularity=")
            << granularity;
        return signalPassFailure();
      }
      if (failed(AbsorbedForm(rewriter, op).run()))
        return signalPassFailure();
    }
  }
};

} // namespace
