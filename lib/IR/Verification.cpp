//===- Verification.cpp - Checks that several operations share ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verification.h"
#include "mla/IR/CacheRow.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;

InFlightDiagnostic mla::detail::violation(Operation *op, StringRef label,
                                          StringRef name) {
  return op->emitOpError() << '(' << label << ") " << name << ": ";
}

LogicalResult mla::detail::verifyPresent(MLAOpInterface op, StringRef label,
                                         StringRef name, const Twine &reason) {
  if (op.getNamedOperand(name))
    return success();
  return violation(op, label, name)
         << "expected an operand " << reason << ", got none";
}

LogicalResult mla::detail::verifyAbsent(MLAOpInterface op, StringRef label,
                                        StringRef name, const Twine &reason) {
  Value value = op.getNamedOperand(name);
  if (!value)
    return success();
  return violation(op, label, name)
         << "expected none " << reason << ", got " << value.getType();
}

static Type getElementType(MLAOpInterface op, StringRef name) {
  Value value = op.getNamedOperand(name);
  return value ? getElementTypeOrSelf(value.getType()) : Type();
}

bool mla::detail::isQuantized(MLAOpInterface op, StringRef name) {
  return isa_and_nonnull<Float8E4M3FNType>(getElementType(op, name));
}

bool mla::detail::isPacked(MLAOpInterface op, StringRef name) {
  Value value = op.getNamedOperand(name);
  return value && isPackedCache(value.getType());
}

Type mla::detail::firstElementType(MLAOpInterface op,
                                   ArrayRef<StringRef> names) {
  for (StringRef name : names)
    if (Type type = getElementType(op, name))
      return type;
  return {};
}

LogicalResult mla::detail::verifyElementType(MLAOpInterface op, StringRef label,
                                             ArrayRef<StringRef> names,
                                             ArrayRef<Type> allowed) {
  for (StringRef name : names) {
    Type type = getElementType(op, name);
    if (!type || llvm::is_contained(allowed, type))
      continue;
    InFlightDiagnostic diagnostic = violation(op, label, name);
    diagnostic << "expected elements of type ";
    llvm::interleave(
        llvm::SmallSetVector<Type, 2>(allowed.begin(), allowed.end()),
        diagnostic, " or ");
    return diagnostic << ", got " << type;
  }
  return success();
}

LogicalResult mla::detail::verifyScale(MLAOpInterface op, StringRef label,
                                       StringRef scale, StringRef name) {
  if (isQuantized(op, name))
    return verifyPresent(op, label, scale, "because " + name + " is f8E4M3FN");
  return verifyAbsent(
      op, label, scale,
      "because " + name +
          (op.getNamedOperand(name) ? " is not f8E4M3FN" : " is absent"));
}

LogicalResult mla::detail::verifyCacheScales(MLAOpInterface op, StringRef label,
                                             int64_t peWidth) {
  if (isPacked(op, "cache")) {
    for (StringRef scale : {"latent_scale", "pe_scale"})
      if (failed(verifyAbsent(op, label, scale,
                              "because the rows of an i8 cache have their "
                              "scales")))
        return failure();
    return success();
  }
  if (failed(verifyScale(op, label, "latent_scale", "cache")))
    return failure();
  if (peWidth == 0 && isQuantized(op, "cache"))
    return verifyAbsent(op, label, "pe_scale", "because R = 0");
  return verifyScale(op, label, "pe_scale", "cache");
}

LogicalResult mla::detail::verifyQueryOfPackedCache(MLAOpInterface op,
                                                    StringRef label) {
  if (!isPacked(op, "cache") || !isQuantized(op, "query"))
    return success();
  return violation(op, label, "query")
         << "expected no f8E4M3FN elements because the cache is i8, got "
         << op.getNamedOperand("query").getType();
}

LogicalResult mla::detail::verifyLiveRope(MLAOpInterface op, StringRef label,
                                          const DimSizes &dims,
                                          bool needsPositions) {
  RopeAttr rope = cast<RopeOpInterface>(op.getOperation()).getLiveRope();
  if (!rope)
    return success();
  if (failed(verifyPresent(op, label, "cos_sin", "because the rope is live")) ||
      (needsPositions && failed(verifyPresent(op, label, "positions",
                                              "because the rope is live"))))
    return failure();
  // The table's width is static, so R is known.
  int64_t width = dims.lookupOrZero("R");
  if (rope.getHeadDim() != width)
    return violation(op, label, "rope") << "expected head_dim = R = " << width
                                        << ", got " << rope.getHeadDim();
  return success();
}

LogicalResult mla::detail::verifySoftmaxScale(Operation *op, StringRef label,
                                              const APFloat &scale) {
  if (scale.isFinite() && !scale.isNegative() && !scale.isZero())
    return success();
  SmallString<16> text;
  scale.toString(text);
  return violation(op, label, "softmax_scale")
         << "expected a finite positive number, got " << text;
}

LogicalResult mla::detail::verifyPositive(Operation *op, StringRef label,
                                          StringRef name, int64_t value) {
  if (value > 0)
    return success();
  return violation(op, label, name)
         << "expected a positive number, got " << value;
}
