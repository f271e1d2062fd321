//===- CallOrder.cpp - Functions, callees first ---------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CallOrder.h"

#include "mlir/Analysis/CallGraph.h"
#include "llvm/ADT/SCCIterator.h"

using namespace mlir;

void mla::detail::visitCalleesFirst(
    ModuleOp module, llvm::function_ref<void(func::FuncOp, bool)> visit) {
  const CallGraph graph(module);
  for (auto group = llvm::scc_begin(&graph); !group.isAtEnd(); ++group)
    for (CallGraphNode *node : *group) {
      if (node->isExternal())
        continue;
      auto function =
          dyn_cast<func::FuncOp>(node->getCallableRegion()->getParentOp());
      if (function && function->getParentOp() == module)
        visit(function, group.hasCycle());
    }
}
