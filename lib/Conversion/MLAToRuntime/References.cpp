//===- References.cpp - Arguments that stay the caller's descriptors ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "References.h"
#include "RuntimeCalls.h"
#include "mla/IR/MLADialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mla;

/// The function argument that `value` is, null when it is none.
static BlockArgument getArgument(Value value) {
  while (auto cast = value.getDefiningOp<memref::CastOp>())
    value = cast.getSource();
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner()->isEntryBlock() &&
                 isa<func::FuncOp>(argument.getOwner()->getParentOp())
             ? argument
             : BlockArgument();
}

References::References(SymbolTable &symbols,
                       std::optional<SymbolTable::UseRange> uses)
    : symbols(symbols) {
  auto module = cast<ModuleOp>(symbols.getOp());
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal() || function->hasAttr(MLADialect::kHostAttr) ||
        !getRuntimeContext(function))
      continue;
    for (BlockArgument argument : function.getArguments())
      if (isa<MemRefType>(argument.getType()))
        arguments.insert(argument);
    functions.push_back(function);
  }
  // Nothing is known of the arguments where not all callers are.
  if (!uses) {
    arguments.clear();
    return;
  }
  DenseMap<Operation *, SmallVector<func::CallOp>> calls;
  for (SymbolTable::SymbolUse use : *uses) {
    auto function =
        symbols.lookup<func::FuncOp>(use.getSymbolRef().getRootReference());
    if (!function)
      continue;
    auto call = dyn_cast<func::CallOp>(use.getUser());
    if (call && function.isPrivate())
      calls[function].push_back(call);
    else
      exclude(function);
  }
  for (func::FuncOp function : functions)
    if (function.isPrivate() && !calls.contains(function))
      exclude(function);
  // What one function can't pass on excludes arguments of those that it calls,
  // and so on.
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &[function, callers] : calls)
      for (BlockArgument argument :
           cast<func::FuncOp>(function).getArguments()) {
        auto isUnknown = [&](func::CallOp call) {
          return !isReference(
              getArgument(call.getOperand(argument.getArgNumber())));
        };
        if (isReference(argument) && llvm::any_of(callers, isUnknown)) {
          arguments.erase(argument);
          changed = true;
        }
      }
  }
}

void References::exclude(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments())
    arguments.erase(argument);
}

void References::passOn(func::CallOp call) {
  auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
  if (!callee || callee.isExternal())
    return;
  for (BlockArgument parameter : callee.getArguments()) {
    if (!isReference(parameter))
      continue;
    OpOperand &operand = call->getOpOperand(parameter.getArgNumber());
    Operation *view = operand.get().getDefiningOp();
    operand.set(getArgument(operand.get()));
    while (view && view->use_empty()) {
      Operation *source = view->getOperand(0).getDefiningOp();
      view->erase();
      view = source;
    }
  }
}

SmallVector<Type> References::convert(func::FuncOp function) {
  SmallVector<Type> types(function.getArgumentTypes());
  auto pointer = LLVM::LLVMPointerType::get(function.getContext());
  OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
  tensors.clear();
  for (BlockArgument argument : function.getArguments()) {
    if (!isReference(argument))
      continue;
    auto type = cast<MemRefType>(argument.getType());
    argument.setType(pointer);
    auto isOther = [&](OpOperand &use) {
      auto call = dyn_cast<func::CallOp>(use.getOwner());
      auto callee = call ? symbols.lookup<func::FuncOp>(call.getCallee())
                         : func::FuncOp();
      return !callee || callee.isExternal() ||
             !isReference(callee.getArgument(use.getOperandNumber()));
    };
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : argument.getUses())
      if (isOther(use))
        uses.push_back(&use);
    if (uses.empty())
      continue;
    Value memref = loadMemRef(builder, argument.getLoc(), type, argument);
    tensors[memref] = argument;
    for (OpOperand *use : uses)
      use->set(memref);
  }
  function.setFunctionType(builder.getFunctionType(
      function.getBody().getArgumentTypes(), function.getResultTypes()));
  return types;
}

Value References::getTensor(Value memref) const {
  while (auto cast = memref.getDefiningOp<memref::CastOp>())
    memref = cast.getSource();
  return tensors.lookup(memref);
}

void References::removeUnused() {
  llvm::SetVector<Operation *> candidates;
  for (auto [memref, tensor] : tensors)
    candidates.insert(memref.getDefiningOp());
  tensors.clear();
  while (!candidates.empty()) {
    Operation *op = candidates.pop_back_val();
    if (!op->use_empty())
      continue;
    // Whoever loses its last use comes again, behind its last user.
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    for (Value operand : operands)
      if (Operation *source = operand.getDefiningOp())
        candidates.insert(source);
  }
}
