//===- FormBuilder.cpp - What the forms of attention share ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"

#include "mla/IR/DimSolver.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

LogicalResult FormBuilder::solveSizes() {
  if (!isa<RankedTensorType>(op.getQ().getType()))
    return op.emitOpError("mla-decompose: expected tensors, got memrefs");
  FailureOr<DimSizes> sizes = solveDims(op, [&] { return op.emitOpError(); });
  if (failed(sizes))
    return failure();
  for (auto [symbol, size] :
       {std::pair<StringRef, int64_t *>{"L", &widths.latent},
        {"N", &widths.nope},
        {"V", &widths.value},
        {"P", &pageSize}}) {
    std::optional<int64_t> known = sizes->lookup(symbol);
    // Slices of width zero are not valid IR.
    if (!known || *known <= 0)
      return op.emitOpError("mla-decompose: expected a static, positive ")
             << symbol << ", got " << (known ? Twine(*known) : Twine("?"));
    *size = *known;
  }
  widths.pe = op.getKPe() ? sizes->lookupOrZero("R") : 0;

  // A size that any operand tells is static everywhere.
  auto getSize = [&](StringRef symbol, int64_t dim) -> OpFoldResult {
    if (std::optional<int64_t> known = sizes->lookup(symbol))
      return host.constant(*known);
    return tensor::getMixedSize(rewriter, loc, op.getQ(), dim);
  };
  tokens = getSize("T", 0);
  heads = getSize("H", 1);
  if (std::optional<int64_t> known = sizes->lookup("B"))
    sequences = host.constant(*known);
  return success();
}

OpFoldResult FormBuilder::getSequences(const Part &part) {
  if (!part.isLaunch)
    return part.sequences;
  if (!sequences)
    sequences = tensor::getMixedSize(rewriter, loc, op.getPageTable(), 0);
  return sequences;
}

OpFoldResult FormBuilder::getMaxKeys() {
  if (maxKeys)
    return maxKeys;
  OpFoldResult pages =
      tensor::getMixedSize(rewriter, loc, op.getPageTable(), 1);
  OpFoldResult capacity = host.mul(pages, host.constant(pageSize));
  maxKeys = capacity;
  if (op.getMaxKv())
    maxKeys = host.min(host.orElse(getAsOpFoldResult(op.getMaxKv()), capacity),
                       capacity);
  // A window of no keys is none to the runtime.
  maxKeys = host.max(maxKeys, host.constant(1));
  return maxKeys;
}

Type FormBuilder::getInputType() { return getElementTypeOrSelf(op.getQ()); }

Value FormBuilder::createEmpty(ArrayRef<OpFoldResult> sizes, Type elementType) {
  return tensor::EmptyOp::create(rewriter, loc, sizes, elementType);
}

Value FormBuilder::slice(Value source, ArrayRef<OpFoldResult> offsets,
                         ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(sizes.size(), host.constant(1));
  return tensor::ExtractSliceOp::create(rewriter, loc, source, offsets, sizes,
                                        strides);
}

Value FormBuilder::sliceColumns(Value source, int64_t dim, int64_t offset,
                                ArrayRef<OpFoldResult> sizes) {
  int64_t width = cast<RankedTensorType>(source.getType()).getDimSize(dim);
  if (offset == 0 && getConstantIntValue(sizes[dim]) == width)
    return source;
  SmallVector<OpFoldResult> offsets(sizes.size(), host.constant(0));
  offsets[dim] = host.constant(offset);
  return slice(source, offsets, sizes);
}

Value FormBuilder::replaceSlice(Value slice, Value value, Value dest) {
  if (slice == dest)
    return value;
  auto extract = slice.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(
      rewriter, loc, value, dest, extract.getMixedOffsets(),
      extract.getMixedSizes(), extract.getMixedStrides());
}

/// Rows [first, first + count) of the leading dimension.
static Value sliceRows(FormBuilder &form, Value source, OpFoldResult first,
                       OpFoldResult count) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(form.rewriter, form.loc, source);
  SmallVector<OpFoldResult> offsets(sizes.size(), form.host.constant(0));
  offsets[0] = first;
  sizes[0] = count;
  return form.slice(source, offsets, sizes);
}

Value FormBuilder::sliceTokens(const Part &part, Value source) {
  if (part.isLaunch || !source)
    return source;
  return sliceRows(*this, source, part.firstToken, part.tokens);
}

Value FormBuilder::sliceSequences(const Part &part, Value source) {
  if (part.isLaunch)
    return source;
  return sliceRows(*this, source, part.firstSequence, part.sequences);
}

Value FormBuilder::sliceCuQ(const Part &part) {
  if (part.isLaunch)
    return op.getCuQ();
  return sliceRows(*this, op.getCuQ(), part.firstSequence,
                   host.add(part.sequences, host.constant(1)));
}

Value FormBuilder::getKeyWeights() {
  return sliceColumns(
      op.getWKvB(), 1, 0,
      {heads, host.constant(widths.nope), host.constant(widths.latent)});
}

Value FormBuilder::getValueWeights() {
  return sliceColumns(
      op.getWKvB(), 1, widths.nope,
      {heads, host.constant(widths.value), host.constant(widths.latent)});
}

Value FormBuilder::getQNope() {
  return sliceColumns(op.getQ(), 2, 0,
                      {tokens, heads, host.constant(widths.nope)});
}

Value FormBuilder::getQPe() {
  if (!widths.pe)
    return {};
  return sliceColumns(op.getQ(), 2, widths.nope,
                      {tokens, heads, host.constant(widths.pe)});
}

void FormBuilder::createSlotMapping() {
  Type i64 = rewriter.getI64Type();
  SmallVector<Value> mapped = {createEmpty(tokens, i64),
                               createEmpty(tokens, i64)};
  auto mapping = SlotMappingOp::create(
      rewriter, loc, TypeRange(ValueRange(mapped)), op.getKvLens(), op.getCuQ(),
      op.getPageTable(), /*cp_rank=*/Value(), mapped[0], mapped[1],
      /*local_kv_lens=*/Value(), /*kv_bounds=*/Value(), pageSize,
      /*cp_size=*/IntegerAttr(), /*cp_interleave=*/IntegerAttr());
  slots = mapping.getNamedResult("slots");
  positions = op.getPositions() ? op.getPositions()
                                : mapping.getNamedResult("positions");
}

void FormBuilder::setAppendAttributes(AppendOp append) {
  append->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  append.setRoundingAttr(op.getRoundingAttr());
  append.setPhaseAttr(op.getPhaseAttr());
  if (RopeAttr rope = op.getRopeAttr(); rope && !rope.isLive())
    cast<RopeOpInterface>(append.getOperation())
        .noteRopeOff(rope.getEnabled() ? "head_dim = 0"
                                       : "disabled in the rope attribute");
}

std::pair<Value, Value> FormBuilder::createAppend(const QueryParts &parts) {
  if (isFine)
    return createFineAppends(parts);
  bool rotate = hasLiveRope();
  SmallVector<Type> types;
  if (parts.query)
    types.push_back(parts.query.getType());
  types.push_back(op.getCache().getType());
  auto append = AppendOp::create(
      rewriter, loc, types, op.getCKv(), op.getKPe(), parts.nope, parts.pe,
      slots, rotate ? op.getCosSin() : Value(), rotate ? positions : Value(),
      parts.query ? op.getCuQ() : Value(), op.getQueryScale(),
      op.getLatentScale(), op.getPeScale(), parts.query,
      /*k_pe_out=*/Value(), op.getCache(), op.getLiveRope(), RoundingAttr(),
      PhaseAttr());
  setAppendAttributes(append);
  return {parts.query ? append.getNamedResult("query") : Value(),
          append.getNamedResult("cache")};
}
