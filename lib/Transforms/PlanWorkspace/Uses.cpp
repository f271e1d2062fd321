//===- Uses.cpp - Who may touch a buffer ----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workspace.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Whether an operation's results aren't names of a buffer that it is given.
static bool yieldsNoBuffer(Operation *op) {
  return llvm::none_of(op->getResultTypes(),
                       [](Type type) { return !type.isIntOrIndexOrFloat(); });
}

BufferUses UseAnalysis::find(Value buffer) {
  BufferUses uses;
  Operation *definition = buffer.getDefiningOp();
  SmallVector<Value> names{buffer};
  DenseSet<Value> seen{buffer};
  auto addName = [&](Value name) {
    if (seen.insert(name).second)
      names.push_back(name);
  };
  auto escape = [&](Operation *op, StringRef reason) {
    if (!uses.escape) {
      uses.escape = op;
      uses.reason = reason;
    }
  };
  for (unsigned i = 0; i < names.size(); ++i)
    for (OpOperand &use : names[i].getUses()) {
      Operation *user = use.getOwner();
      if (isa<memref::DimOp>(user))
        continue;
      if (isa<memref::DeallocOp>(user)) {
        uses.deallocations.push_back(user);
      } else if (isa<ViewLikeOpInterface, memref::CastOp,
                     memref::ExtractStridedMetadataOp>(user)) {
        for (Value result : user->getResults())
          if (isa<BaseMemRefType>(result.getType()))
            addName(result);
      } else if (auto yield = dyn_cast<scf::YieldOp>(user)) {
        Operation *parent = yield->getParentOp();
        unsigned number = use.getOperandNumber();
        if (auto loop = dyn_cast<scf::ForOp>(parent)) {
          if (definition && loop->isProperAncestor(definition))
            escape(user, "the next iteration of its loop reads it");
          addName(loop.getRegionIterArg(number));
          addName(loop.getResult(number));
        } else if (isa<scf::IfOp>(parent)) {
          addName(parent->getResult(number));
        } else {
          escape(user, "it leaves a region that isn't of scf.for or scf.if");
        }
      } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
        addName(loop.getTiedLoopRegionIterArg(&use));
        addName(loop.getTiedLoopResult(&use));
      } else if (auto call = dyn_cast<func::CallOp>(user)) {
        auto it = escaping.find(call.getCalleeAttr().getAttr());
        if (it == escaping.end() || it->second.test(use.getOperandNumber()) ||
            !yieldsNoBuffer(call))
          escape(user, "the called function may keep or return it");
        uses.accesses.push_back(user);
      } else if (isa<func::ReturnOp>(user)) {
        escape(user, "the function returns it");
      } else if (auto store = dyn_cast<memref::StoreOp>(user);
                 store && use.get() == store.getValueToStore()) {
        escape(user, "it is stored in another buffer");
      } else if (isa<MemoryEffectOpInterface>(user) && yieldsNoBuffer(user) &&
                 !isa<memref::ExtractAlignedPointerAsIndexOp>(user)) {
        uses.accesses.push_back(user);
      } else {
        escape(user, "an operation that isn't known to leave it has it");
      }
    }
  return uses;
}

void UseAnalysis::summarize(func::FuncOp function) {
  llvm::BitVector escapes(function.getNumArguments());
  for (BlockArgument argument : function.getArguments())
    if (isa<BaseMemRefType>(argument.getType()) && find(argument).escape)
      escapes.set(argument.getArgNumber());
  escaping[function.getSymNameAttr()] = std::move(escapes);
}
