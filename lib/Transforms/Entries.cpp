//===- Entries.cpp - Entry functions and their destinations ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Transforms/Entries.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mla;

bool mla::isEntry(func::FuncOp function) {
  if (!function.isPublic() || function.isExternal() ||
      function->hasAttr(MLADialect::kHostAttr))
    return false;
  auto isShaped = [](Type type) { return isa<ShapedType>(type); };
  return llvm::any_of(function.getArgumentTypes(), isShaped) ||
         llvm::any_of(function.getResultTypes(), isShaped);
}

bool mla::isReadOnly(BlockArgument argument) {
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto role = function ? function.getArgAttrOfType<StringAttr>(
                             argument.getArgNumber(), MLADialect::kRoleAttr)
                       : StringAttr();
  return role && (role == "input" || role == "constant");
}

func::FuncOp DestinationFlow::getCallee(func::CallOp call) {
  auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
  return callee && !callee.isExternal() ? callee : func::FuncOp();
}

BlockArgument DestinationFlow::getRoot(Value value) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (isa<func::FuncOp>(parent))
        return argument.getOwner()->isEntryBlock() ? argument : BlockArgument();
      auto loop = dyn_cast<scf::ForOp>(parent);
      OpOperand *init = loop ? loop.getTiedLoopInit(argument) : nullptr;
      if (!init)
        return {};
      value = init->get();
      continue;
    }

    auto result = cast<OpResult>(value);
    Operation *op = result.getOwner();
    if (auto dpsOp = dyn_cast<DestinationStyleOpInterface>(op)) {
      value = dpsOp.getTiedOpOperand(result)->get();
    } else if (auto castOp = dyn_cast<tensor::CastOp>(op)) {
      value = castOp.getSource();
    } else if (isa<scf::ForOp, scf::IfOp>(op)) {
      return getRootOfJoin(result);
    } else if (auto call = dyn_cast<func::CallOp>(op)) {
      func::FuncOp callee = getCallee(call);
      int64_t index =
          callee ? getResultRoot(callee, result.getResultNumber()) : -1;
      if (index < 0)
        return {};
      value = call.getOperand(index);
    } else {
      return {};
    }
  }
}

BlockArgument DestinationFlow::getRootOfJoin(OpResult result) {
  if (auto it = joinRoots.find(result); it != joinRoots.end())
    return it->second;
  Value first, second;
  if (auto loop = dyn_cast<scf::ForOp>(result.getOwner())) {
    BlockArgument iterArg = loop.getTiedLoopRegionIterArg(result);
    first = loop.getTiedLoopInit(result)->get();
    second = loop.getTiedLoopYieldedValue(iterArg)->get();
  } else {
    auto branch = cast<scf::IfOp>(result.getOwner());
    first = branch.thenYield().getOperand(result.getResultNumber());
    second = branch.elseYield().getOperand(result.getResultNumber());
  }
  BlockArgument root = getRoot(first);
  if (root && getRoot(second) != root)
    root = {};
  return joinRoots[result] = root;
}

int64_t DestinationFlow::getResultRoot(func::FuncOp callee, unsigned index) {
  auto it = resultRoots.find(callee);
  if (it != resultRoots.end())
    return it->second[index];
  // What a recursive call returns is not known.
  SmallVector<int64_t> roots(callee.getNumResults(), -1);
  resultRoots[callee] = roots;
  if (callee.getBody().hasOneBlock()) {
    Operation *terminator = callee.getBody().front().getTerminator();
    for (auto [root, returned] :
         llvm::zip_equal(roots, terminator->getOperands()))
      if (BlockArgument argument = getRoot(returned))
        root = argument.getArgNumber();
  }
  resultRoots[callee] = roots;
  return roots[index];
}

Value DestinationFlow::getCalleeArgument(OpOperand &operand) {
  auto call = dyn_cast<func::CallOp>(operand.getOwner());
  func::FuncOp callee = call ? getCallee(call) : func::FuncOp();
  return callee ? callee.getArgument(operand.getOperandNumber()) : Value();
}

void DestinationFlow::followUse(OpOperand &use,
                                llvm::SmallSetVector<Value, 8> &reached) {
  Operation *user = use.getOwner();
  if (auto castOp = dyn_cast<tensor::CastOp>(user)) {
    reached.insert(castOp.getResult());
  } else if (auto loop = dyn_cast<scf::ForOp>(user)) {
    if (BlockArgument iterArg = loop.getTiedLoopRegionIterArg(&use)) {
      reached.insert(iterArg);
      reached.insert(loop.getTiedLoopResult(&use));
    }
  } else if (auto yield = dyn_cast<scf::YieldOp>(user)) {
    if (auto branch = dyn_cast<scf::IfOp>(yield->getParentOp()))
      reached.insert(branch.getResult(use.getOperandNumber()));
  } else if (Value argument = getCalleeArgument(use)) {
    reached.insert(argument);
    // What the callee returns of it may be written by the caller.
    auto call = cast<func::CallOp>(user);
    for (OpResult result : call.getResults())
      if (getResultRoot(getCallee(call), result.getResultNumber()) ==
          use.getOperandNumber())
        reached.insert(result);
  }
}

bool DestinationFlow::isDestination(Value argument) {
  // Each value once: functions may call each other in circles.
  llvm::SmallSetVector<Value, 8> reached;
  reached.insert(argument);
  for (size_t i = 0; i < reached.size(); ++i)
    for (OpOperand &use : reached[i].getUses()) {
      auto dpsOp = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (dpsOp && dpsOp.isDpsInit(&use))
        return true;
      if (!dpsOp)
        followUse(use, reached);
    }
  return false;
}

/// Whether an mla operation leaves nothing of the destination's earlier value.
static bool overwrites(MLAOpInterface op, StringRef init) {
  if (init == "cache" || isa<MergeStatesOp>(op))
    return false;
  if (auto append = dyn_cast<AppendOp>(op.getOperation()); init == "query")
    return !append || (append.getQNope() && append.getQPe());
  return true;
}

bool DestinationFlow::isOverwritten(Value argument) {
  // A recursive function may call itself and write nothing.
  auto [it, isNew] = overwritten.try_emplace(argument, false);
  if (!isNew)
    return it->second;
  bool result = llvm::all_of(argument.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto op = dyn_cast<MLAOpInterface>(user))
      return cast<DestinationStyleOpInterface>(user).isDpsInit(&use) &&
             llvm::any_of(op.getOperandSpecs(), [&](const OperandSpec &spec) {
               return spec.isInit &&
                      op.getNamedOperand(spec.name) == argument &&
                      overwrites(op, spec.name);
             });
    if (auto op = dyn_cast<linalg::LinalgOp>(user))
      return op.isDpsInit(&use) && !op.payloadUsesValueFromOperand(&use);
    if (isa<tensor::DimOp>(user))
      return true;
    if (auto op = dyn_cast<bufferization::MaterializeInDestinationOp>(user))
      return use == op.getDestMutable();
    Value calleeArgument = getCalleeArgument(use);
    return calleeArgument && isOverwritten(calleeArgument);
  });
  return overwritten[argument] = result;
}
