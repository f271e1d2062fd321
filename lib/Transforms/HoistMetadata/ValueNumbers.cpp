//===- ValueNumbers.cpp - Which values are equal --------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValueNumbers.h"

#include "mla/Transforms/Entries.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

ValueNumbers::ValueNumbers(func::FuncOp function, ArrayRef<Operation *> ops)
    : function(function) {
  auto isNew = [&](Operation *op) { return !leaders.contains(op); };
  for (Operation *op : ops) {
    for (Operation *producer : collectProducers(op, isNew))
      number(producer);
    if (isNew(op))
      number(op);
  }
}

unsigned ValueNumbers::getDepth(Block *block) {
  unsigned depth = 0;
  for (Operation *op = block->getParentOp(); op; op = op->getParentOp())
    ++depth;
  return depth;
}

Value ValueNumbers::getLeading(Value value) const {
  auto result = dyn_cast<OpResult>(value);
  Operation *leader = result ? leaders.lookup(result.getOwner())
                             : static_cast<Operation *>(nullptr);
  return leader ? leader->getResult(result.getResultNumber()) : value;
}

StringAttr ValueNumbers::getSizeName(Operation *op) {
  auto size = dyn_cast<tensor::DimOp>(op);
  auto argument =
      size ? dyn_cast<BlockArgument>(size.getSource()) : BlockArgument();
  std::optional<int64_t> dim = size ? size.getConstantIndex() : std::nullopt;
  // Calls from outside check the sizes of entries only.
  if (!argument || !dim || argument.getOwner() != &function.getBody().front() ||
      !isEntry(function))
    return {};
  auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                   MLADialect::kDimsAttr);
  return MLADialect::getSizeName(dims, *dim);
}

void ValueNumbers::number(Operation *op) {
  Block *&block = outermost[op];
  block = &function.getBody().front();
  unsigned depth = getDepth(block);
  for (Value operand : op->getOperands()) {
    auto it = outermost.find(operand.getDefiningOp());
    Block *other =
        it == outermost.end() ? operand.getParentBlock() : it->second;
    if (unsigned otherDepth = getDepth(other); otherDepth > depth) {
      block = other;
      depth = otherDepth;
    }
  }

  if (StringAttr name = getSizeName(op)) {
    leaders[op] = sizes.try_emplace(name, op).first->second;
    return;
  }
  size_t hash = OperationEquivalence::computeHash(
      op, [&](Value operand) { return hash_value(getLeading(operand)); },
      OperationEquivalence::ignoreHashValue,
      OperationEquivalence::IgnoreLocations);
  auto isSame = [&](Value a, Value b) {
    return success(getLeading(a) == getLeading(b));
  };
  for (Operation *other : buckets[hash])
    if (OperationEquivalence::isEquivalentTo(
            op, other, isSame, /*markEquivalent=*/nullptr,
            OperationEquivalence::IgnoreLocations)) {
      leaders[op] = other;
      return;
    }
  buckets[hash].push_back(op);
  leaders[op] = op;
}
