//===- Obstacles.cpp - What keeps metadata where it is --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Metadata.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Why callers of the function can't take anything over, empty if they can.
static std::string findObstacleOfFunction(const Callable &callable) {
  func::FuncOp function = callable.function;
  StringRef name = function.getSymName();
  if (!function.isPrivate())
    return llvm::formatv(
        "(H1) expected a private function, got the public @{0}", name);
  if (function->hasAttr(MLADialect::kHostAttr))
    return llvm::formatv("(H1) expected a function without {0}, got @{1}",
                         MLADialect::kHostAttr, name);
  if (callable.isRecursive)
    return llvm::formatv("(H2) expected a function that doesn't call itself, "
                         "got @{0}, which may",
                         name);
  if (callable.hasOtherUses)
    return llvm::formatv(
        "(H1) expected calls alone to name @{0}, got another use", name);
  return "";
}

/// What of that which `op` is computed from can't be computed elsewhere and
/// isn't available there; null if nothing is in the way.
static Value findFixed(Operation *op, function_ref<bool(Value)> isAvailable) {
  SmallVector<Operation *> needed = collectProducers(op);
  needed.push_back(op);
  for (Operation *each : needed)
    for (Value operand : each->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!(producer && isMovable(producer)) && !isAvailable(operand))
        return operand;
    }
  return {};
}

/// The name of the operation that gives `value`.
static StringRef getMaker(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    op = value.getParentBlock()->getParentOp();
  return op->getName().getStringRef();
}

std::string mla::detail::findObstacle(const Callable &callable, Operation *op) {
  if (std::string reason = findObstacleOfFunction(callable); !reason.empty())
    return reason;
  func::FuncOp function = callable.function;
  Block *body = &function.getBody().front();
  if (Value fixed = findFixed(op, [&](Value value) {
        return isa<BlockArgument>(value) && value.getParentBlock() == body;
      }))
    return llvm::formatv("(H3) expected operands that follow from the "
                         "function's arguments, got one from '{0}'",
                         getMaker(fixed));
  for (Value init : cast<DestinationStyleOpInterface>(op).getDpsInits())
    if (!init.getDefiningOp<tensor::EmptyOp>())
      return "(H3) expected a tensor.empty as each destination, got another";
  return "";
}

std::string mla::detail::findLoopObstacle(Operation *op) {
  Operation *loop = op->getParentOp();
  while (!isLoop(loop) && !isa<func::FuncOp>(loop))
    loop = loop->getParentOp();
  Value fixed = findFixed(op, [&](Value value) {
    return !loop->isAncestor(value.getParentBlock()->getParentOp());
  });
  if (!isLoop(loop) || !fixed)
    return "";
  return llvm::formatv("expected operands from outside of the loop, got one "
                       "from '{0}'",
                       getMaker(fixed));
}
