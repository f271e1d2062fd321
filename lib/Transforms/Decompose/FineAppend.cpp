//===- FineAppend.cpp - What one append does, operation by operation ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

Value FormBuilder::rotate(Value x, ArrayRef<OpFoldResult> sizes, Type type) {
  Value y = createEmpty(sizes, type);
  return RopeOp::create(rewriter, loc, y.getType(), x, op.getCosSin(),
                        positions, y, op.getLiveRope(), op.getPhaseAttr())
      ->getResult(0);
}

Value FormBuilder::widen(Value x, ArrayRef<OpFoldResult> sizes, Type type) {
  if (!x || getElementTypeOrSelf(x) == type)
    return x;
  return linalg::CopyOp::create(rewriter, loc, x, createEmpty(sizes, type))
      .getResult(0);
}

/// What the values on their way to `dest` are between two operations. Where one
/// append rotates and quantizes without rounding in between, they are f32.
static Type getTypeBetween(AttentionOp op, Value dest) {
  Type input = getElementTypeOrSelf(op.getQ());
  bool isDirect = !op.getRounding() || *op.getRounding() == Rounding::Direct;
  if (!cast<RopeOpInterface>(op.getOperation()).getLiveRope() || !isDirect ||
      !isa<Float8E4M3FNType>(getElementTypeOrSelf(dest)))
    return input;
  return Float32Type::get(op.getContext());
}

std::pair<Value, Value>
FormBuilder::createFineAppends(const QueryParts &parts) {
  OpFoldResult pe = host.constant(widths.pe);
  Value query = parts.query, qNope = parts.nope, qPe = parts.pe;
  if (query) {
    Type between = getTypeBetween(op, query);
    if (qPe && hasLiveRope())
      qPe = rotate(qPe, {tokens, heads, pe}, between);
    OpFoldResult width =
        qNope ? tensor::getMixedSize(rewriter, loc, qNope, 2) : OpFoldResult();
    qNope = widen(qNope, {tokens, heads, width}, between);
  }
  Type between = getTypeBetween(op, op.getCache());
  Value kPe = op.getKPe();
  if (kPe && hasLiveRope())
    kPe = rotate(kPe, {tokens, pe}, between);
  Value cKv =
      widen(op.getCKv(), {tokens, host.constant(widths.latent)}, between);

  auto create = [&](AppendOp append, StringRef result) {
    setAppendAttributes(append);
    return append.getNamedResult(result);
  };
  Value none;
  Value cache = create(
      AppendOp::create(rewriter, loc, op.getCache().getType(), cKv, kPe, none,
                       none, slots, none, none, none, none, op.getLatentScale(),
                       op.getPeScale(), none, none, op.getCache(), RopeAttr(),
                       RoundingAttr(), PhaseAttr()),
      "cache");
  if (query)
    query =
        create(AppendOp::create(rewriter, loc, query.getType(), none, none,
                                qNope, qPe, none, none, none, op.getCuQ(),
                                op.getQueryScale(), none, none, query, none,
                                none, RopeAttr(), RoundingAttr(), PhaseAttr()),
               "query");
  return {query, cache};
}
