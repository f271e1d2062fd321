//===- QueryAssembly.cpp - Queries assembled by other dialects ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QueryAssembly.h"

#include "AppendSite.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Whether an mla operation takes `value`, or what further slices make of it,
/// as its query.
static bool isUsedAsQuery(Value value) {
  while (value.hasOneUse()) {
    OpOperand &use = *value.use_begin();
    auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
    if (!insert || insert.getDest() != value)
      break;
    value = insert.getResult();
  }
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    auto op = dyn_cast<MLAOpInterface>(user);
    return op && op.getNamedOperand("query") == value;
  });
}

/// Whether a live rope rotates `rows`, perhaps with conversions after it.
static bool isRotated(Value rows) {
  while (Operation *op = rows.getDefiningOp()) {
    if (auto rope = dyn_cast<RopeOp>(op))
      return static_cast<bool>(rope.getLiveRope());
    if (op->getNumOperands() == 0 || isa<MLAOpInterface>(op))
      return false;
    rows = op->getOperand(0);
  }
  return false;
}

static unsigned countCopies(Value rows) {
  auto op = rows.getDefiningOp<DestinationStyleOpInterface>();
  bool isWrittenInPlace = op && rows.hasOneUse() &&
                          op.getTiedOpOperand(cast<OpResult>(rows))
                              ->get()
                              .getDefiningOp<tensor::EmptyOp>();
  return isWrittenInPlace ? 0 : 1;
}

/// Whether tensors of these types can be an append's q_pe, or q_nope, and
/// query.
static bool areRowsOf(RankedTensorType rows, RankedTensorType query) {
  Type element = query.getElementType();
  return rows.getRank() == 3 && query.getRank() == 3 &&
         rows.getElementType() == element &&
         (element.isBF16() || element.isF16() || element.isF32()) &&
         !rows.isDynamicDim(1) && rows.getDimSize(1) == query.getDimSize(1) &&
         !rows.isDynamicDim(2) && !query.isDynamicDim(2);
}

/// Erases an empty tensor that nothing uses, and its sizes.
static void eraseUnused(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<tensor::EmptyOp, tensor::DimOp>(op) || !op->use_empty())
    return;
  SmallVector<Value> operands(op->getOperands());
  op->erase();
  for (Value operand : operands)
    eraseUnused(operand);
}

static AppendOp createAppend(Operation *op, Value qNope, Value qPe,
                             Value query) {
  OpBuilder builder(op);
  Value none;
  auto append = AppendOp::create(builder, op->getLoc(), query.getType(), none,
                                 none, qNope, qPe, none, none, none, none, none,
                                 none, none, query, none, none, RopeAttr(),
                                 RoundingAttr(), PhaseAttr());
  op->replaceAllUsesWith(append);
  return append;
}

/// Erases `op`, now without uses; `make` makes it again from the append's
/// operands.
static QueryAssembly
finish(Operation *op, AppendOp append, unsigned copies,
       std::function<Operation *(OpBuilder &, AppendOp)> make) {
  DictionaryAttr attributes = op->getDiscardableAttrDictionary();
  op->erase();
  auto restore = [append, attributes, make = std::move(make)]() mutable {
    OpBuilder builder(append);
    Operation *op = make(builder, append);
    op->setDiscardableAttrs(attributes);
    append->replaceAllUsesWith(op);
    Value query = append.getQuery();
    append.erase();
    eraseUnused(query);
  };
  return {append, copies, restore};
}

static std::optional<QueryAssembly> recognize(tensor::InsertSliceOp op) {
  RankedTensorType query = op.getDestType();
  Value rows = op.getSource();
  if (!areRowsOf(op.getSourceType(), query))
    return {};
  int64_t width = op.getSourceType().getDimSize(2);
  const int64_t last[] = {0, 0, query.getDimSize(2) - width};
  if (last[2] <= 0 || !op.hasUnitStride() ||
      op.getStaticOffsets() != ArrayRef<int64_t>(last) ||
      !haveSameTokens(rows, op.getDest()) ||
      !(isRotated(rows) || isUsedAsQuery(op.getResult())))
    return {};
  unsigned copies = countCopies(rows);
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  AppendOp append = createAppend(op, Value(), rows, op.getDest());
  return finish(op, append, copies, [=](OpBuilder &builder, AppendOp append) {
    SmallVector<OpFoldResult> offsets, strides(3, builder.getIndexAttr(1));
    for (int64_t offset : last)
      offsets.push_back(builder.getIndexAttr(offset));
    return tensor::InsertSliceOp::create(builder, append.getLoc(),
                                         append.getQPe(), append.getQuery(),
                                         offsets, sizes, strides);
  });
}

static std::optional<QueryAssembly> recognize(tensor::ConcatOp op) {
  RankedTensorType query = op.getResultType();
  if (op.getDim() != 2 || op.getInputs().size() != 2)
    return {};
  Value nope = op.getInputs()[0], pe = op.getInputs()[1];
  for (Value rows : {nope, pe})
    if (auto type = cast<RankedTensorType>(rows.getType());
        !areRowsOf(type, query) || type.getDimSize(2) == 0)
      return {};
  // A result that says less of the tokens than the rows, or more, is no type of
  // an append; canonicalization casts it.
  if (cast<RankedTensorType>(nope.getType()).getDimSize(0) !=
      query.getDimSize(0))
    return {};
  if (!haveSameTokens(nope, pe) ||
      !(isRotated(pe) || isUsedAsQuery(op.getResult())))
    return {};
  unsigned copies = countCopies(nope) + countCopies(pe);
  OpBuilder builder(op);
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, op.getLoc(), nope);
  sizes[2] = builder.getIndexAttr(query.getDimSize(2));
  Value empty = tensor::EmptyOp::create(builder, op.getLoc(), sizes,
                                        query.getElementType());
  AppendOp append = createAppend(op, nope, pe, empty);
  return finish(op, append, copies, [](OpBuilder &builder, AppendOp append) {
    return tensor::ConcatOp::create(
        builder, append.getLoc(), append.getQuery().getType(), /*dim=*/2,
        ValueRange{append.getQNope(), append.getQPe()});
  });
}

std::optional<QueryAssembly>
mla::detail::recognizeQueryAssembly(Operation *op) {
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return recognize(insert);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return recognize(concat);
  return {};
}
