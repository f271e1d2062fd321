//===- OpSupport.cpp - What the operations' generated code calls ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/OpSupport.h"
#include "Verification.h"
#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mla;

static std::optional<unsigned> findSpec(MLAOpInterface op, StringRef name) {
  for (auto [index, spec] : llvm::enumerate(op.getOperandSpecs()))
    if (spec.name == name)
      return index;
  return std::nullopt;
}

Value mla::detail::getNamedOperand(Operation *op, StringRef name) {
  auto mlaOp = cast<MLAOpInterface>(op);
  std::optional<unsigned> index = findSpec(mlaOp, name);
  return index ? mlaOp.getSpecOperand(*index) : Value();
}

Value mla::detail::getNamedResult(Operation *op, StringRef name) {
  auto mlaOp = cast<MLAOpInterface>(op);
  if (op->getNumResults() == 0)
    return {};
  unsigned result = 0;
  for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs())) {
    if (!spec.isInit || !mlaOp.getSpecOperand(index))
      continue;
    if (spec.name == name)
      return op->getResult(result);
    ++result;
  }
  return {};
}

void mla::detail::eraseNamedOperand(Operation *op, StringRef name) {
  auto mlaOp = cast<MLAOpInterface>(op);
  if (std::optional<unsigned> index = findSpec(mlaOp, name))
    mlaOp.eraseSpecOperand(*index);
}

void mla::detail::noteRopeOff(Operation *op, StringRef reason) {
  if (!op->hasAttr(MLADialect::kRopeOffAttr))
    op->setAttr(MLADialect::kRopeOffAttr,
                StringAttr::get(op->getContext(), reason));
}

LogicalResult mla::detail::verifyOperands(Operation *op) {
  auto mlaOp = cast<MLAOpInterface>(op);
  // The generic form may give any sizes to the operand groups.
  unsigned numOperands = 0;
  for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs())) {
    bool isPresent = static_cast<bool>(mlaOp.getSpecOperand(index));
    numOperands += isPresent;
    if (!isPresent && !spec.isOptional)
      return op->emitOpError() << "expected operand '" << spec.name << "'";
  }
  if (numOperands != op->getNumOperands())
    return op->emitOpError()
           << "expected one operand of a name, " << numOperands
           << " in all, got " << op->getNumOperands();

  bool hasTensor = false, hasMemRef = false;
  for (Type type : op->getOperandTypes()) {
    hasTensor |= isa<RankedTensorType>(type);
    hasMemRef |= isa<MemRefType>(type);
  }
  if (hasTensor && hasMemRef)
    return op->emitOpError(
        "(C2) expected operands to be all tensors or all memrefs, got both");

  SmallVector<Type> expected;
  for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs())) {
    Value value = mlaOp.getSpecOperand(index);
    if (value && spec.isInit && isa<RankedTensorType>(value.getType()))
      expected.push_back(value.getType());
  }
  if (op->getNumResults() != expected.size())
    return op->emitOpError("(C2) expected ")
           << expected.size()
           << " results, one for each destination that is a tensor, got "
           << op->getNumResults();
  for (auto [index, type] : llvm::enumerate(expected))
    if (op->getResult(index).getType() != type)
      return op->emitOpError("(C2) result #")
             << index << ": expected its destination's type " << type
             << ", got " << op->getResult(index).getType();

  FailureOr<DimSizes> dims =
      solveDims(mlaOp, [&] { return op->emitOpError(); });
  return failed(dims) ? failure() : verifyPackedCache(mlaOp, *dims);
}

namespace {
/// An operand that older bytecode has no segment for.
struct AddedOperand {
  StringLiteral op, name;
  uint64_t since; ///< version of the bytecode
};
} // namespace

static constexpr AddedOperand addedOperands[] = {
    {"mla.expanded_attention", "first_token", 2},
    {"mla.gather_kv", "max_kv", 2},
};

DictionaryAttr mla::detail::upgradeProperties(DialectBytecodeReader &reader,
                                              StringRef op,
                                              ArrayRef<OperandSpec> specs,
                                              DictionaryAttr properties) {
  constexpr StringLiteral name = "operandSegmentSizes";
  auto sizes = properties.getAs<DenseI32ArrayAttr>(name);
  auto version = reader.getDialectVersion<MLADialect>();
  if (!sizes || failed(version))
    return properties;
  uint64_t current = static_cast<const MLADialectVersion *>(*version)->version;
  SmallVector<int32_t> upgraded(sizes.asArrayRef());
  for (auto [index, spec] : llvm::enumerate(specs))
    for (const AddedOperand &added : addedOperands)
      if (added.op == op && added.name == spec.name && added.since > current &&
          index <= upgraded.size())
        upgraded.insert(upgraded.begin() + index, 0);
  NamedAttrList attributes(properties);
  attributes.set(name, DenseI32ArrayAttr::get(sizes.getContext(), upgraded));
  return attributes.getDictionary(sizes.getContext());
}

MutableOperandRange mla::detail::getDpsInits(Operation *op) {
  auto mlaOp = cast<MLAOpInterface>(op);
  unsigned numInits = 0;
  for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs()))
    if (spec.isInit && mlaOp.getSpecOperand(index))
      ++numInits;
  return MutableOperandRange(op, op->getNumOperands() - numInits, numInits);
}

void mla::detail::getEffects(
    Operation *op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  auto dpsOp = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    effects.emplace_back(MemoryEffects::Read::get(), &operand,
                         SideEffects::DefaultResource::get());
    if (dpsOp.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

LogicalResult
mla::detail::reifyResultShapes(Operation *op, OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  auto dpsOp = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &init : dpsOp.getDpsInitsMutable())
    if (isa<RankedTensorType>(init.get().getType()))
      shapes.push_back(
          tensor::getMixedSizes(builder, op->getLoc(), init.get()));
  return success();
}

void mla::detail::getAsmResultNames(Operation *op,
                                    OpAsmSetValueNameFn setNameFn) {
  for (const OperandSpec &spec : cast<MLAOpInterface>(op).getOperandSpecs())
    if (spec.isInit)
      if (Value result = getNamedResult(op, spec.name))
        setNameFn(result, spec.name);
}
