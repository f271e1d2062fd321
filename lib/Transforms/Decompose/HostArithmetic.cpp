//===- HostArithmetic.cpp - Sizes that the host knows ---------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostArithmetic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mla::detail;

/// Both as constants, nullopt when one isn't.
static std::optional<std::pair<uint64_t, uint64_t>>
getConstants(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> first = getConstantIntValue(a);
  std::optional<int64_t> second = getConstantIntValue(b);
  if (!first || !second)
    return std::nullopt;
  return std::pair<uint64_t, uint64_t>(*first, *second);
}

/// An attribute holds no more.
static int64_t saturate(uint64_t value) {
  return std::min<uint64_t>(value, std::numeric_limits<int64_t>::max());
}

Value HostArithmetic::materialize(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(builder, loc, size);
}

OpFoldResult HostArithmetic::add(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(saturate(llvm::SaturatingAdd(both->first, both->second)));
  if (isZeroInteger(a))
    return b;
  if (isZeroInteger(b))
    return a;
  return arith::AddIOp::create(builder, loc, materialize(a), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::sub(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(both->first - both->second);
  if (isZeroInteger(b))
    return a;
  return arith::SubIOp::create(builder, loc, materialize(a), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::mul(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(
        saturate(llvm::SaturatingMultiply(both->first, both->second)));
  if (isOneInteger(a))
    return b;
  if (isOneInteger(b))
    return a;
  return arith::MulIOp::create(builder, loc, materialize(a), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::min(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(saturate(std::min(both->first, both->second)));
  return arith::MinUIOp::create(builder, loc, materialize(a), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::max(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(saturate(std::max(both->first, both->second)));
  return arith::MaxUIOp::create(builder, loc, materialize(a), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::ceilDiv(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(llvm::divideCeil(both->first, both->second));
  if (isOneInteger(b))
    return a;
  OpFoldResult most = add(a, sub(b, constant(1)));
  return arith::DivUIOp::create(builder, loc, materialize(most), materialize(b))
      .getResult();
}

OpFoldResult HostArithmetic::orElse(OpFoldResult value,
                                    OpFoldResult otherwise) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return *known ? value : otherwise;
  Value isZero =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                            materialize(value), materialize(constant(0)));
  return arith::SelectOp::create(builder, loc, isZero, materialize(otherwise),
                                 materialize(value))
      .getResult();
}

OpFoldResult HostArithmetic::isLess(OpFoldResult a, OpFoldResult b) {
  if (auto both = getConstants(a, b))
    return constant(both->first < both->second);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                               materialize(a), materialize(b))
      .getResult();
}
