//===- ThreadContext.cpp - Contexts for those who need them ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeCalls.h"
#include "mla/Conversion/Passes.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"

namespace mla {
#define GEN_PASS_DEF_MLATHREADCONTEXT
#include "mla/Conversion/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

namespace {

struct ThreadContext : public mla::impl::MLAThreadContextBase<ThreadContext> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    llvm::SetVector<func::FuncOp> needing = findFunctions(module);
    for (func::FuncOp function : needing)
      provideContext(symbols, function);
    for (func::FuncOp function : needing)
      function.walk([&](func::CallOp call) {
        auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
        if (!needing.contains(callee) || callee->hasAttr(MLADialect::kHostAttr))
          return;
        SmallVector<Value> operands{getRuntimeContext(function)};
        llvm::append_range(operands, call.getOperands());
        call->setOperands(operands);
      });
  }

  /// Functions with something to call, and their callers.
  static llvm::SetVector<func::FuncOp> findFunctions(ModuleOp module) {
    llvm::SetVector<func::FuncOp> needing;
    DenseMap<StringAttr, SmallVector<func::FuncOp>> callers;
    for (auto function : module.getOps<func::FuncOp>()) {
      function.walk([&](Operation *op) {
        if (auto call = dyn_cast<func::CallOp>(op))
          callers[call.getCalleeAttr().getAttr()].push_back(function);
        else if (isa<MLAOpInterface, memref::AllocOp, memref::CopyOp,
                     linalg::FillOp, linalg::CopyOp, linalg::BroadcastOp>(op))
          needing.insert(function);
      });
    }
    for (unsigned i = 0; i < needing.size(); ++i) {
      func::FuncOp function = needing[i];
      for (func::FuncOp caller : callers.lookup(function.getSymNameAttr()))
        needing.insert(caller);
    }
    return needing;
  }

  static void provideContext(SymbolTable &symbols, func::FuncOp function) {
    auto pointer = LLVM::LLVMPointerType::get(function.getContext());
    if (!function->hasAttr(MLADialect::kHostAttr)) {
      NamedAttribute mark(StringAttr::get(function.getContext(), kContextAttr),
                          UnitAttr::get(function.getContext()));
      // Arguments are of types that may be converted: insertion can't fail.
      (void)function.insertArgument(
          0, pointer, DictionaryAttr::get(function.getContext(), mark),
          function.getLoc());
      return;
    }
    OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
    callRuntime(builder, function.getLoc(), symbols, kDefaultContext, pointer,
                {});
  }
};

} // namespace
