//===- Callables.cpp - How a module's functions call each other -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../CallOrder.h"
#include "Metadata.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

/// Whether a call of `call`'s function makes it more than once.
static bool isInLoop(func::CallOp call) {
  for (Operation *op = call->getParentOp(); !isa<func::FuncOp>(op);
       op = op->getParentOp())
    if (isLoop(op))
      return true;
  return false;
}

SmallVector<Callable> mla::detail::collectCallables(ModuleOp module) {
  SmallVector<Callable> callables;
  DenseMap<StringAttr, size_t> indices;
  visitCalleesFirst(module, [&](func::FuncOp function, bool isRecursive) {
    indices[function.getSymNameAttr()] = callables.size();
    callables.push_back({function, {}, isRecursive});
  });

  std::optional<SymbolTable::UseRange> uses =
      SymbolTable::getSymbolUses(&module.getBodyRegion());
  for (Callable &callable : callables)
    callable.hasOtherUses = !uses;
  if (!uses)
    return callables;
  for (SymbolTable::SymbolUse use : *uses) {
    auto it = indices.find(use.getSymbolRef().getRootReference());
    if (it == indices.end())
      continue;
    Callable &callee = callables[it->second];
    auto call = dyn_cast<func::CallOp>(use.getUser());
    auto caller = call ? call->getParentOfType<func::FuncOp>() : func::FuncOp();
    if (caller && caller->getParentOp() == module &&
        use.getSymbolRef() == call.getCalleeAttr())
      callee.calls.push_back(call);
    else
      callee.hasOtherUses = true;
  }
  for (Callable &callable : llvm::reverse(callables))
    callable.isRepeated =
        callable.isRecursive || callable.calls.size() > 1 ||
        llvm::any_of(callable.calls, [&](func::CallOp call) {
          auto caller = call->getParentOfType<func::FuncOp>();
          return isInLoop(call) ||
                 callables[indices[caller.getSymNameAttr()]].isRepeated;
        });
  return callables;
}
