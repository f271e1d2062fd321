//===- TraceInput.cpp - What rotates and converts an append's inputs ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AppendSite.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// What `op` converts, element by element, or copies; null where it does
/// something else.
static Value getConverted(Operation *op) {
  if (auto copy = dyn_cast<linalg::CopyOp>(op))
    return copy.hasPureTensorSemantics() ? copy.getInputs()[0] : Value();
  if (auto rope = dyn_cast<RopeOp>(op))
    return rope.getLiveRope() ? Value() : rope.getX();
  if (auto truncate = dyn_cast<arith::TruncFOp>(op))
    return truncate.getRoundingmode() ? Value() : truncate.getIn();
  if (isa<arith::ExtFOp, tensor::CastOp>(op))
    return op->getOperand(0);
  return {};
}

/// Whether `value` is rotated in f32 rows that were of `type` before, so that
/// rounding it to `type` is what a rotation of that type does.
static bool isRotated(Value value, Type type) {
  auto rope = value.getDefiningOp<RopeOp>();
  if (!rope || !rope.getLiveRope())
    return false;
  Value x = rope.getX();
  if (Operation *maker = x.getDefiningOp();
      maker && getElementTypeOrSelf(x) != type)
    if (Value converted = getConverted(maker))
      x = converted;
  return getElementTypeOrSelf(x) == type;
}

Source mla::detail::traceInput(AppendOp op, StringRef name) {
  Source source;
  source.value = op.getNamedOperand(name);
  if (!source.value)
    return source;
  source.between = getElementTypeOrSelf(source.value);
  // Rows that are quantized may be f32, which changes nothing; others have the
  // type of their destination.
  Value dest = name.starts_with("q") ? op.getQuery() : op.getCache();
  bool mayWiden =
      dest && !op.getKPeOut() &&
      isa<Float8E4M3FNType, IntegerType>(getElementTypeOrSelf(dest));

  while (Operation *maker = source.value.getDefiningOp()) {
    Type type = getElementTypeOrSelf(source.value);
    Value from = getConverted(maker);
    if (auto rope = dyn_cast<RopeOp>(maker); rope && !from) {
      if (source.rotation.rope)
        break;
      from = rope.getX();
      source.rotation = {rope.getLiveRope(), rope.getCosSin(),
                         rope.getPositions()};
    } else if (from) {
      Type fromType = getElementTypeOrSelf(from);
      bool isWider = type.isF32() && (fromType.isF16() || fromType.isBF16());
      bool isNarrower = fromType.isF32() && (type.isF16() || type.isBF16());
      if (isNarrower
              ? source.rotation.rope || !isRotated(from, type)
              : type != fromType &&
                    !(isWider && (mayWiden || (source.rotation.rope &&
                                               source.between == fromType))))
        break;
      if (isWider && !source.rotation.rope)
        source.between = fromType;
    }
    if (!from)
      break;
    source.makers.push_back(maker);
    source.value = from;
  }
  return source;
}
