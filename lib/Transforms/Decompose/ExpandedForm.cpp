//===- ExpandedForm.cpp - Attention over rebuilt keys and values ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace mla;
using namespace mla::detail;

namespace {

/// Partial attention: the output and its log-sum-exp, null where nobody asks.
struct State {
  Value o, lse;
};

/// Attention of one part of a launch over windows of its keys. The buffers of a
/// window are made once, ahead of the windows.
class WindowedAttention {
public:
  WindowedAttention(FormBuilder &form, const Part &part, Value query,
                    Value cache)
      : form(form), rewriter(form.rewriter), loc(form.loc), host(form.host),
        op(form.op), part(part), query(query), cache(cache) {}

  /// One window over all keys, into `out`.
  Value attendAtOnce(Value out);
  /// One window of at most `chunkLength` keys after the other, into `out`.
  Value attendInChunks(Value out, int64_t chunkLength);

private:
  /// Makes the buffers of a window of `length` keys a sequence.
  void prepare(OpFoldResult length);
  /// Rebuilds the keys and values from `start` on (null: 0) and attends to
  /// them.
  State attend(Value start, Value sinks, State init);
  /// The state of no key, in `o` (f32): (0, -inf), or (0, sink) where there are
  /// sinks.
  State createInitialState(Value o);
  Value fill(Value init, double value);
  /// A state stacked on a leading dimension of size 1.
  Value stack(Value state);

  FormBuilder &form;
  RewriterBase &rewriter;
  Location loc;
  HostArithmetic &host;
  AttentionOp op;
  const Part &part;
  Value query, cache;
  /// What no window changes.
  Value pageTable, kvLens, cuQ, indices, firstToken;
  OpFoldResult length;
  Value cKv, kPe, kv;
};

} // namespace

void WindowedAttention::prepare(OpFoldResult windowLength) {
  length = windowLength;
  pageTable = form.sliceSequences(part, op.getPageTable());
  kvLens = form.sliceSequences(part, op.getKvLens());
  cuQ = form.sliceCuQ(part);
  indices = form.sliceTokens(part, op.getIndices());
  if (!part.isLaunch)
    firstToken = host.materialize(part.firstToken);

  const AttentionWidths &widths = form.widths;
  OpFoldResult rows = host.mul(form.getSequences(part), length);
  Type type = form.getInputType();
  cKv = form.createEmpty({rows, host.constant(widths.latent)}, type);
  if (widths.pe)
    kPe = form.createEmpty({rows, host.constant(widths.pe)}, type);
  kv = form.createEmpty(
      {rows, form.heads, host.constant(widths.nope + widths.value)}, type);
}

State WindowedAttention::attend(Value start, Value sinks, State init) {
  const AttentionWidths &widths = form.widths;
  Value lengthValue = host.materialize(length);
  SmallVector<Type> types{cKv.getType()};
  if (kPe)
    types.push_back(kPe.getType());
  auto gather = GatherKVOp::create(rewriter, loc, types, cache, pageTable,
                                   kvLens, op.getLatentScale(), op.getPeScale(),
                                   start, lengthValue, op.getMaxKv(), cKv, kPe);
  Value expanded =
      ExpandKVOp::create(rewriter, loc, kv.getType(),
                         gather.getNamedResult("c_kv"), op.getWKvB(), kv)
          ->getResult(0);
  SmallVector<OpFoldResult> sizes{host.mul(form.getSequences(part), length),
                                  form.heads, host.constant(widths.nope)};
  Value kNope = form.sliceColumns(expanded, 2, 0, sizes);
  sizes.back() = host.constant(widths.value);
  Value v = form.sliceColumns(expanded, 2, widths.nope, sizes);

  types = {init.o.getType()};
  if (init.lse)
    types.push_back(init.lse.getType());
  auto attention = ExpandedAttentionOp::create(
      rewriter, loc, types, query, kNope,
      kPe ? gather.getNamedResult("k_pe") : Value(), v, cuQ, /*cu_k=*/Value(),
      kvLens, sinks, indices, start, lengthValue, firstToken, init.o, init.lse,
      rewriter.getUnitAttr(), op.getSoftmaxScaleAttr());
  return {attention.getNamedResult("o"),
          init.lse ? attention.getNamedResult("lse") : Value()};
}

Value WindowedAttention::attendAtOnce(Value out) {
  prepare(form.getMaxKeys());
  Value rows = form.sliceTokens(part, out);
  State state = attend(/*start=*/Value(), op.getSinks(), {rows, Value()});
  return form.replaceSlice(rows, state.o, out);
}

Value WindowedAttention::fill(Value init, double value) {
  Type type = getElementTypeOrSelf(init);
  Value constant = arith::ConstantOp::create(
      rewriter, loc, rewriter.getFloatAttr(type, value));
  return linalg::FillOp::create(rewriter, loc, constant, init).getResult(0);
}

State WindowedAttention::createInitialState(Value o) {
  Value lse = form.createEmpty({form.getTokens(part), form.heads},
                               rewriter.getF32Type());
  if (op.getSinks())
    lse = linalg::BroadcastOp::create(rewriter, loc, op.getSinks(), lse,
                                      ArrayRef<int64_t>{0})
              ->getResult(0);
  else
    lse = fill(lse, -std::numeric_limits<double>::infinity());
  return {fill(o, 0.0), lse};
}

Value WindowedAttention::stack(Value state) {
  auto type = cast<RankedTensorType>(state.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), 1);
  SmallVector<OpFoldResult> sizes{host.constant(1), form.getTokens(part),
                                  form.heads};
  SmallVector<ReassociationIndices> groups{{0, 1}, {2}};
  if (type.getRank() == 3) {
    sizes.push_back(host.constant(form.widths.value));
    groups.push_back({3});
  }
  return tensor::ExpandShapeOp::create(
      rewriter, loc, RankedTensorType::get(shape, type.getElementType()), state,
      groups, sizes);
}

Value WindowedAttention::attendInChunks(Value out, int64_t chunkLength) {
  // As many windows as are needed, all of one length: the last of windows of
  // chunkLength keys might hold little more than padding.
  OpFoldResult keys = form.getMaxKeys();
  OpFoldResult numWindows = host.ceilDiv(keys, host.constant(chunkLength));
  prepare(host.ceilDiv(keys, numWindows));

  // The state is accumulated in f32: in the destination itself where it is
  // that.
  Type f32 = rewriter.getF32Type();
  SmallVector<OpFoldResult> sizes{form.getTokens(part), form.heads,
                                  host.constant(form.widths.value)};
  State partial{form.createEmpty(sizes, f32),
                form.createEmpty({sizes[0], sizes[1]}, f32)};
  Value rows = form.sliceTokens(part, out);
  bool isInOut = getElementTypeOrSelf(out) == f32;
  State init =
      createInitialState(isInOut ? rows : form.createEmpty(sizes, f32));

  auto loop = scf::ForOp::create(
      rewriter, loc, host.materialize(host.constant(0)), host.materialize(keys),
      host.materialize(length), ValueRange{init.o, init.lse});
  {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(loop.getBody());
    State state = attend(loop.getInductionVar(), /*sinks=*/Value(), partial);
    Value o = loop.getRegionIterArg(0), lse = loop.getRegionIterArg(1);
    auto merge = MergeStatesOp::create(
        rewriter, loc, TypeRange{o.getType(), lse.getType()}, stack(state.o),
        stack(state.lse), o, lse);
    scf::YieldOp::create(rewriter, loc, merge->getResults());
  }
  Value result = loop.getResult(0);
  if (!isInOut)
    result = linalg::CopyOp::create(rewriter, loc, result, rows).getResult(0);
  return form.replaceSlice(rows, result, out);
}

Value mla::detail::attendExpanded(FormBuilder &form, const Part &part,
                                  Value query, Value cache, Value out,
                                  int64_t chunkLength) {
  WindowedAttention attention(form, part, query, cache);
  std::optional<int64_t> keys = getConstantIntValue(form.getMaxKeys());
  if (chunkLength == 0 || (keys && *keys <= chunkLength))
    return attention.attendAtOnce(out);
  return attention.attendInChunks(out, chunkLength);
}

LogicalResult mla::detail::buildExpandedForm(FormBuilder &form,
                                             int64_t chunkLength) {
  AttentionOp op = form.op;
  if (op.getQueryScale())
    return op.emitOpError("mla-decompose: form=expanded: expected no "
                          "query_scale, because a quantized query exists only "
                          "in the absorbed form");
  // No sequence: nothing is rebuilt and every token is padding, as in the
  // absorbed form.
  if (isZeroInteger(form.getSequences(Part()))) {
    buildAbsorbedForm(form);
    return success();
  }
  form.createSlotMapping();
  // Where nothing rotates, q is the query.
  QueryParts parts;
  if (form.hasLiveRope())
    parts = {form.getQNope(), form.getQPe(),
             form.createEmpty(
                 {form.tokens, form.heads,
                  form.host.constant(form.widths.nope + form.widths.pe)},
                 form.getInputType())};
  auto [query, cache] = form.createAppend(parts);
  Value out = attendExpanded(form, Part(), query ? query : op.getQ(), cache,
                             op.getOut(), chunkLength);
  form.rewriter.replaceOp(op, ValueRange{out, cache});
  return success();
}
