//===- Emit.cpp - What conversions of custom calls emit -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "mla/IR/OpSupport.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mla;
using namespace mla::customcall;

//===----------------------------------------------------------------------===//
// Operations of mla
//===----------------------------------------------------------------------===//

MLAOpInterface customcall::createOp(Site &site, StringRef name,
                                    NamedValues operands,
                                    NamedAttrList attributes) {
  if (site.isRefused())
    return {};
  auto info =
      RegisteredOperationName::lookup(("mla." + name).str(), site.getContext());
  auto *interface = info ? info->getInterface<MLAOpInterface>() : nullptr;
  if (!interface) {
    site.refuse("", "expected an operation of mla, got no 'mla." + name + "'");
    return {};
  }
  OperationState state(site.getLoc(), *info);
  SmallVector<int32_t> segments;
  for (const OperandSpec &spec : interface->getOperandSpecs()) {
    Value value;
    for (auto [operand, candidate] : operands)
      if (operand == spec.name)
        value = candidate;
    if (!value && !spec.isOptional) {
      site.refuse(spec.name, "expected an operand, got none");
      return {};
    }
    segments.push_back(value ? 1 : 0);
    if (!value)
      continue;
    state.addOperands(value);
    if (spec.isInit && isa<RankedTensorType>(value.getType()))
      state.addTypes(value.getType());
  }
  // What has a dialect's name before it is nobody's argument.
  NamedAttrList inherent, discardable;
  for (NamedAttribute attribute : attributes)
    (attribute.getName().getValue().contains('.') ? discardable : inherent)
        .push_back(attribute);
  if (!site.holds([&] {
        return info->verifyInherentAttrs(
            inherent, [&] { return emitError(site.getLoc()); });
      }))
    return {};
  if (info->hasTrait<OpTrait::AttrSizedOperandSegments>())
    inherent.set("operandSegmentSizes",
                 DenseI32ArrayAttr::get(site.getContext(), segments));
  if (!inherent.empty())
    state.propertiesAttr = inherent.getDictionary(site.getContext());
  state.addAttributes(discardable);
  Operation *op = site.getBuilder().create(state);
  if (!site.holds([&] { return verify(op); }))
    return {};
  return cast<MLAOpInterface>(op);
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

OpFoldResult customcall::getSize(Site &site, Value tensor, int64_t dim) {
  if (site.isRefused())
    return site.getBuilder().getIndexAttr(0);
  return tensor::getMixedSize(site.getBuilder(), site.getLoc(), tensor, dim);
}

static Value slice(Site &site, Value tensor, ArrayRef<OpFoldResult> offsets,
                   ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(sizes.size(),
                                    site.getBuilder().getIndexAttr(1));
  return tensor::ExtractSliceOp::create(site.getBuilder(), site.getLoc(),
                                        tensor, offsets, sizes, strides);
}

Value customcall::takeRows(Site &site, StringRef argument, Value tensor,
                           OpFoldResult count) {
  if (site.isRefused() || !tensor)
    return {};
  auto type = cast<RankedTensorType>(tensor.getType());
  if (std::optional<int64_t> known = getConstantIntValue(count)) {
    if (*known == type.getDimSize(0))
      return tensor;
    if (!type.isDynamicDim(0) && type.getDimSize(0) < *known) {
      site.refuse(argument, "expected " + Twine(*known) +
                                " rows or more, got " + describe(tensor));
      return {};
    }
  }
  SmallVector<OpFoldResult> sizes = {count};
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    sizes.push_back(getSize(site, tensor, dim));
  SmallVector<OpFoldResult> offsets(sizes.size(),
                                    site.getBuilder().getIndexAttr(0));
  return slice(site, tensor, offsets, sizes);
}

Value customcall::takeColumns(Site &site, Value tensor, int64_t first,
                              int64_t count) {
  if (site.isRefused() || !tensor)
    return {};
  Builder &builder = site.getBuilder();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(site.getBuilder(), site.getLoc(), tensor);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  offsets.back() = builder.getIndexAttr(first);
  sizes.back() = builder.getIndexAttr(count);
  return slice(site, tensor, offsets, sizes);
}

Value customcall::createEmptyLike(Site &site, Value tensor) {
  if (site.isRefused())
    return {};
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(site.getBuilder(), site.getLoc(), tensor);
  return tensor::EmptyOp::create(site.getBuilder(), site.getLoc(), sizes,
                                 getElementTypeOrSelf(tensor.getType()));
}

Value customcall::getScale(Site &site, StringRef argument) {
  Value value = site.getValue(argument);
  auto type =
      value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || !type.getElementType().isF32() || !type.hasStaticShape() ||
      type.getNumElements() != 1) {
    site.refuse(argument,
                "expected a tensor of one f32, the scale of an f8E4M3FN cache, "
                "got " +
                    describe(value));
    return {};
  }
  if (site.isRefused() || type.getRank() == 0)
    return site.isRefused() ? Value() : value;
  OpFoldResult zero = site.getBuilder().getIndexAttr(0),
               one = site.getBuilder().getIndexAttr(1);
  SmallVector<OpFoldResult> zeros(type.getRank(), zero),
      ones(type.getRank(), one);
  return tensor::ExtractSliceOp::create(
      site.getBuilder(), site.getLoc(),
      RankedTensorType::get({}, type.getElementType()), value, zeros, ones,
      ones);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Copies a table into `destination`, which is f32: an `mla.rope` without a
/// rope. That is one launch, where arithmetic on tensors has no runtime call.
static Value copyTable(Site &site, Value table, Value destination) {
  MLAOpInterface copy =
      createOp(site, "rope", {{"x", table}, {"y", destination}}, {});
  return copy ? copy->getResult(0) : Value();
}

static Value createTable(Site &site, OpFoldResult rows, int64_t columns) {
  return tensor::EmptyOp::create(
      site.getBuilder(), site.getLoc(),
      {rows, site.getBuilder().getIndexAttr(columns)},
      site.getBuilder().getF32Type());
}

Value customcall::getTable(Site &site, Value cosSin) {
  if (site.isRefused() || !cosSin || isFloat32(cosSin))
    return site.isRefused() ? Value() : cosSin;
  int64_t width = cast<RankedTensorType>(cosSin.getType()).getShape().back();
  return copyTable(site, cosSin,
                   createTable(site, getSize(site, cosSin, 0), width));
}

Value customcall::joinTables(Site &site, Value cos, Value sin) {
  if (site.isRefused())
    return {};
  int64_t half = cast<RankedTensorType>(cos.getType()).getShape().back();
  OpFoldResult rows = getSize(site, cos, 0);
  Value table = createTable(site, rows, 2 * half);
  Builder &builder = site.getBuilder();
  int64_t first = 0;
  for (Value part : {cos, sin}) {
    if (!isFloat32(part))
      part = copyTable(site, part, takeColumns(site, table, first, half));
    if (site.isRefused())
      return {};
    SmallVector<OpFoldResult> offsets = {builder.getIndexAttr(0),
                                         builder.getIndexAttr(first)},
                              sizes = {rows, builder.getIndexAttr(half)},
                              strides(2, builder.getIndexAttr(1));
    table = tensor::InsertSliceOp::create(site.getBuilder(), site.getLoc(),
                                          part, table, offsets, sizes, strides);
    first += half;
  }
  return table;
}

NamedAttrList customcall::getNoRope(Site &site) {
  site.noteRopeOff();
  NamedAttrList attributes;
  attributes.set(MLADialect::kRopeOffAttr,
                 site.getBuilder().getStringAttr(
                     "convert-custom-call-to-mla: no rotary table"));
  return attributes;
}

NamedAttrList customcall::getRope(Site &site, RopeStyle style, Value pe,
                                  Value table) {
  if (site.isRefused() || !pe)
    return {};
  if (!table)
    return getNoRope(site);
  NamedAttrList attributes;
  int64_t width = cast<RankedTensorType>(pe.getType()).getShape().back();
  RopeAttr rope;
  site.holds([&] {
    rope = RopeAttr::getChecked([&] { return emitError(site.getLoc()); },
                                site.getContext(), style, width,
                                /*enabled=*/true);
    return success(static_cast<bool>(rope));
  });
  if (rope)
    attributes.set("rope", rope);
  return attributes;
}

int64_t customcall::getWidth(Site &site, StringRef argument, Value value) {
  if (site.isRefused() || !value)
    return 0;
  int64_t width = cast<RankedTensorType>(value.getType()).getShape().back();
  if (ShapedType::isDynamic(width))
    site.refuse(argument, "expected a static width, got a dynamic one");
  return width;
}
