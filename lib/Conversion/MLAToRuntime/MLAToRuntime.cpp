//===- MLAToRuntime.cpp - Operations on buffers become calls of the C ABI -===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "References.h"
#include "RuntimeCalls.h"
#include "mla/Conversion/Passes.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mla {
#define GEN_PASS_DEF_CONVERTMLATORUNTIME
#include "mla/Conversion/Passes.h.inc"
} // namespace mla

using namespace mlir;
using namespace mla;

/// The arena's answer to an allocation: contiguous, sized by the type and the
/// dynamic sizes.
static void convertAlloc(SymbolTable &symbols, func::FuncOp function,
                         memref::AllocOp alloc) {
  OpBuilder builder(alloc);
  Location loc = alloc.getLoc();
  MemRefType type = alloc.getType();
  Type i64 = builder.getI64Type();
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(builder, loc,
                                    builder.getI64IntegerAttr(value));
  };
  SmallVector<Value> sizes;
  auto dynamicSize = alloc.getDynamicSizes().begin();
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size)
                        ? Value(arith::IndexCastOp::create(builder, loc, i64,
                                                           *dynamicSize++))
                        : constant(size));
  SmallVector<Value> strides(sizes.size());
  Value elements = constant(1);
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    strides[i] = elements;
    elements = LLVM::MulOp::create(builder, loc, elements, sizes[i]);
  }
  int64_t bytes =
      type.getElementType().isIndex() ? 8 : type.getElementTypeBitWidth() / 8;
  Value pointer = callRuntime(
      builder, loc, symbols, "mla_arena_alloc",
      LLVM::LLVMPointerType::get(builder.getContext()),
      {getRuntimeContext(function),
       LLVM::MulOp::create(builder, loc, elements, constant(bytes))});
  alloc.replaceAllUsesWith(
      makeMemRef(builder, loc, type, pointer, sizes, strides));
  alloc.erase();
}

namespace {

struct ConvertMLAToRuntime
    : public mla::impl::ConvertMLAToRuntimeBase<ConvertMLAToRuntime> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    // Asked once for all entries; nothing below refers to one of them.
    llvm::DenseSet<StringAttr> referenced;
    auto uses = SymbolTable::getSymbolUses(&getOperation().getBodyRegion());
    if (uses)
      for (SymbolTable::SymbolUse use : *uses)
        referenced.insert(use.getSymbolRef().getRootReference());
    References references(symbols, uses);
    getOperation().walk([&](func::CallOp call) { references.passOn(call); });
    for (auto function :
         llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal())
        continue;
      bool isHost = function->hasAttr(MLADialect::kHostAttr);
      SmallVector<Type> types = references.convert(function);
      // A function without a context has nothing to convert.
      if (getRuntimeContext(function) &&
          failed(convertFunction(symbols, references, function)))
        return signalPassFailure();
      if (!isHost && failed(checkLegality(function)))
        return signalPassFailure();
      if (function.isPublic() && !isHost && getRuntimeContext(function) &&
          failed(buildEntry(
              symbols, function, types,
              !uses || referenced.contains(function.getSymNameAttr()))))
        return signalPassFailure();
      dropArgumentAttributes(function);
      // Private here is internal there: a shared object exports entries alone.
      if (function.isPrivate())
        function->setAttr(
            "llvm.linkage",
            LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));
    }
  }

  LogicalResult convertFunction(SymbolTable &symbols, References &references,
                                func::FuncOp function) {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<MLAOpInterface, memref::AllocOp, memref::DeallocOp,
              memref::CopyOp, linalg::FillOp, linalg::CopyOp,
              linalg::BroadcastOp>(op))
        ops.push_back(op);
    });
    CallBuilder calls(symbols, references, function);
    for (Operation *op : ops) {
      if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
        if (!alloc.getType().getLayout().isIdentity())
          return op->emitOpError("expected a contiguous allocation, got ")
                 << alloc.getType();
        convertAlloc(symbols, function, alloc);
      } else if (isa<memref::DeallocOp>(op)) {
        op->erase(); // The arena lets go of everything at once.
      } else if (failed(calls.convert(op))) {
        return failure();
      }
    }
    references.removeUnused();
    if (function->hasAttr(MLADialect::kHostAttr))
      reportBeforeReturns(symbols, function);
    return success();
  }

  /// What entries needed to know is in their tables now; LLVM IR has no place
  /// for it. All at once: each change of one makes an array of all.
  static void dropArgumentAttributes(func::FuncOp function) {
    SmallVector<Attribute> kept;
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      SmallVector<NamedAttribute> others;
      if (DictionaryAttr attributes = function.getArgAttrDict(i))
        llvm::copy_if(attributes, std::back_inserter(others),
                      [](NamedAttribute attribute) {
                        return !isa_and_nonnull<MLADialect>(
                            attribute.getNameDialect());
                      });
      kept.push_back(DictionaryAttr::get(function.getContext(), others));
    }
    function.setAllArgAttrs(kept);
  }

  /// Nobody sees the status of a function that mlir-runner runs: it prints it.
  static void reportBeforeReturns(SymbolTable &symbols, func::FuncOp function) {
    function.walk([&](func::ReturnOp op) {
      OpBuilder builder(op);
      callRuntime(builder, op.getLoc(), symbols, "mla_context_report",
                  builder.getI32Type(), getRuntimeContext(function));
    });
  }
};

} // namespace
