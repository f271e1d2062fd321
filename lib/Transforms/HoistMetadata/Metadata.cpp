//===- Metadata.cpp - What can be computed elsewhere ----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Metadata.h"

#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

bool mla::detail::isMetadata(Operation *op) {
  return isa<SlotMappingOp, ScheduleOp>(op) &&
         cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics();
}

bool mla::detail::isMovable(Operation *op) {
  return isMetadata(op) || (op->getNumRegions() == 0 && isPure(op) &&
                            !op->hasTrait<OpTrait::IsTerminator>());
}

bool mla::detail::isLoop(Operation *op) { return isa<LoopLikeOpInterface>(op); }

bool mla::detail::isStructured(func::FuncOp function) {
  return !function
              .walk([](Operation *op) {
                for (Region &region : op->getRegions())
                  if (!region.empty() && !region.hasOneBlock())
                    return WalkResult::interrupt();
                return WalkResult::advance();
              })
              .wasInterrupted();
}

SmallVector<Operation *>
mla::detail::collectProducers(Operation *op,
                              function_ref<bool(Operation *)> isWanted) {
  // Depth first, without recursion: sizes may be long sums.
  SmallVector<Operation *> producers;
  SmallVector<std::pair<Operation *, unsigned>> path = {{op, 0}};
  DenseSet<Operation *> seen;
  while (!path.empty()) {
    auto &[current, next] = path.back();
    if (next == current->getNumOperands()) {
      if (current != op)
        producers.push_back(current);
      path.pop_back();
      continue;
    }
    Operation *producer = current->getOperand(next++).getDefiningOp();
    if (producer && isMovable(producer) && isWanted(producer) &&
        seen.insert(producer).second)
      path.push_back({producer, 0});
  }
  return producers;
}

void mla::detail::eraseWithProducers(ArrayRef<Operation *> ops) {
  llvm::SetVector<Operation *> dead;
  dead.insert_range(ops);
  while (!dead.empty()) {
    Operation *op = dead.pop_back_val();
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    for (Value operand : operands)
      if (Operation *producer = operand.getDefiningOp();
          producer && isMovable(producer) && producer->use_empty())
        dead.insert(producer);
  }
}
