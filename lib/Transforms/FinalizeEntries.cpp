//===- FinalizeEntries.cpp - mla-finalize-entries -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Transforms/Entries.h"
#include "mla/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/BitVector.h"

namespace mla {
#define GEN_PASS_DEF_MLAFINALIZEENTRIES
#include "mla/Transforms/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

/// The argument of the function that `value` is, null when it is none.
static BlockArgument getReturnedArgument(Value value) {
  while (auto cast = value.getDefiningOp<memref::CastOp>())
    value = cast.getSource();
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp())
             ? argument
             : BlockArgument();
}

namespace {

struct FinalizeEntries
    : public mla::impl::MLAFinalizeEntriesBase<FinalizeEntries> {
  void runOnOperation() override;

private:
  /// Drops the results of `function` that are its arguments; its calls use what
  /// they pass instead.
  void dropArguments(func::FuncOp function, ArrayRef<func::CallOp> calls);
};

} // namespace

void FinalizeEntries::dropArguments(func::FuncOp function,
                                    ArrayRef<func::CallOp> calls) {
  auto terminator =
      cast<func::ReturnOp>(function.getBody().front().getTerminator());
  llvm::BitVector dropped(function.getNumResults());
  SmallVector<BlockArgument> arguments;
  for (OpOperand &returned : terminator->getOpOperands()) {
    BlockArgument argument = isa<BaseMemRefType>(returned.get().getType())
                                 ? getReturnedArgument(returned.get())
                                 : BlockArgument();
    arguments.push_back(argument);
    if (argument)
      dropped.set(returned.getOperandNumber());
  }
  if (dropped.none())
    return;

  terminator->eraseOperands(dropped);
  // Only memrefs go, so the new type is always valid.
  (void)function.eraseResults(dropped);
  for (func::CallOp call : calls) {
    OpBuilder builder(call);
    auto newCall = func::CallOp::create(builder, call.getLoc(), function,
                                        call.getOperands());
    newCall->setDiscardableAttrs(call->getDiscardableAttrDictionary());
    unsigned kept = 0;
    for (OpResult result : call.getResults()) {
      if (!dropped.test(result.getResultNumber())) {
        result.replaceAllUsesWith(newCall.getResult(kept++));
        continue;
      }
      Value passed =
          call.getOperand(arguments[result.getResultNumber()].getArgNumber());
      if (!result.use_empty() && passed.getType() != result.getType())
        passed = memref::CastOp::create(builder, call.getLoc(),
                                        result.getType(), passed);
      result.replaceAllUsesWith(passed);
    }
    call.erase();
  }
}

void FinalizeEntries::runOnOperation() {
  ModuleOp module = getOperation();
  // Callees first, so that a result which is a callee's argument is seen as the
  // caller's own.
  SymbolTable symbols(module);
  DenseMap<StringAttr, SmallVector<func::CallOp>> calls;
  SmallVector<func::FuncOp> order;
  DenseSet<Operation *> visited;
  auto visit = [&](auto &&self, func::FuncOp function) -> void {
    if (function.isExternal() || !visited.insert(function).second)
      return;
    function.walk([&](func::CallOp call) {
      calls[call.getCalleeAttr().getAttr()].push_back(call);
      if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
        self(self, callee);
    });
    order.push_back(function);
  };
  for (auto function : module.getOps<func::FuncOp>())
    visit(visit, function);

  for (func::FuncOp function : order) {
    if (function.getBody().hasOneBlock())
      dropArguments(function, calls.lookup(function.getSymNameAttr()));
    if (!isEntry(function) || function.getNumResults() == 0)
      continue;
    function.emitOpError("mla-finalize-entries: expected every result to be in "
                         "an argument's buffer, got a result of type ")
        << function.getResultTypes().front();
    return signalPassFailure();
  }
}
