//===- RuntimeCalls.cpp - Building blocks of calls of the runtime ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeCalls.h"
#include "mla/IR/MLADialect.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include "mla_runtime/tensor.h"

#include <cstddef>

using namespace mlir;
using namespace mla;

Value mla::getRuntimeContext(func::FuncOp function) {
  if (function.getNumArguments() && function.getArgAttr(0, kContextAttr))
    return function.getArgument(0);
  for (auto call : function.front().getOps<LLVM::CallOp>())
    if (call.getCallee() == kDefaultContext)
      return call.getResult();
  return {};
}

/// Where a new symbol goes.
static OpBuilder getModuleBuilder(SymbolTable &symbols) {
  return OpBuilder::atBlockBegin(&symbols.getOp()->getRegion(0).front());
}

Value mla::callRuntime(OpBuilder &builder, Location loc, SymbolTable &symbols,
                       StringRef name, Type result, ValueRange arguments) {
  Type resultType =
      result ? result : LLVM::LLVMVoidType::get(builder.getContext());
  auto function = symbols.lookup<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder moduleBuilder = getModuleBuilder(symbols);
    function = LLVM::LLVMFuncOp::create(
        moduleBuilder, symbols.getOp()->getLoc(), name,
        LLVM::LLVMFunctionType::get(resultType,
                                    llvm::to_vector(arguments.getTypes())));
    symbols.insert(function);
  }
  auto call = LLVM::CallOp::create(builder, loc, function, arguments);
  return result ? call.getResult() : Value();
}

Value mla::getString(OpBuilder &builder, Location loc, SymbolTable &symbols,
                     StringRef text) {
  std::string name = ("mla.string." + text).str();
  auto global = symbols.lookup<LLVM::GlobalOp>(name);
  if (!global) {
    OpBuilder moduleBuilder = getModuleBuilder(symbols);
    std::string terminated = text.str() + '\0';
    global = LLVM::GlobalOp::create(
        moduleBuilder, symbols.getOp()->getLoc(),
        LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, name,
        builder.getStringAttr(terminated));
    symbols.insert(global);
  }
  return LLVM::AddressOfOp::create(builder, loc, global);
}

uint32_t mla::getDtypeCode(Type elementType) {
  if (elementType.isF32())
    return MLA_DTYPE_F32;
  if (elementType.isF16())
    return MLA_DTYPE_F16;
  if (elementType.isBF16())
    return MLA_DTYPE_BF16;
  if (isa<Float8E4M3FNType>(elementType))
    return MLA_DTYPE_F8E4M3FN;
  if (elementType.isF64())
    return MLA_DTYPE_F64;
  if (elementType.isInteger(8))
    return MLA_DTYPE_I8;
  if (elementType.isInteger(32))
    return MLA_DTYPE_I32;
  if (elementType.isInteger(64) || elementType.isIndex())
    return MLA_DTYPE_I64;
  return MLA_DTYPE_NONE;
}

Value mla::makeMemRef(OpBuilder &builder, Location loc, MemRefType type,
                      Value pointer, ValueRange sizes, ValueRange strides) {
  // The descriptor that the LLVM lowering of memrefs uses: allocated pointer,
  // aligned pointer, offset, sizes, strides.
  MLIRContext *context = builder.getContext();
  Type i64 = builder.getI64Type();
  Type ptr = LLVM::LLVMPointerType::get(context);
  SmallVector<Type> members{ptr, ptr, i64};
  if (type.getRank()) {
    members.append(2, LLVM::LLVMArrayType::get(i64, type.getRank()));
  }
  auto structType = LLVM::LLVMStructType::getLiteral(context, members);
  Value descriptor = LLVM::PoisonOp::create(builder, loc, structType);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor =
        LLVM::InsertValueOp::create(builder, loc, descriptor, value, position);
  };
  insert(pointer, 0);
  insert(pointer, 1);
  insert(LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0)),
         2);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    insert(sizes[i], {3, i});
    insert(strides[i], {4, i});
  }
  return UnrealizedConversionCastOp::create(builder, loc, type, descriptor)
      .getResult(0);
}

Value mla::loadField(OpBuilder &builder, Location loc, Value base,
                     uint64_t offset, Type type) {
  Value address = LLVM::GEPOp::create(
      builder, loc, base.getType(), builder.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(builder, loc, type, address);
}

Value mla::loadMemRef(OpBuilder &builder, Location loc, MemRefType type,
                      Value tensor) {
  auto load = [&](uint64_t offset, Type fieldType) {
    return loadField(builder, loc, tensor, offset, fieldType);
  };
  Type i64 = builder.getI64Type();
  Value data = load(offsetof(mla_tensor, data), tensor.getType());
  Value offset = load(offsetof(mla_tensor, byte_offset), i64);
  Value address =
      LLVM::GEPOp::create(builder, loc, tensor.getType(), builder.getI8Type(),
                          data, ArrayRef<LLVM::GEPArg>{offset});
  SmallVector<Value> sizes, strides;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    uint64_t at = d * sizeof(int64_t);
    sizes.push_back(load(offsetof(mla_tensor, shape) + at, i64));
    strides.push_back(load(offsetof(mla_tensor, strides) + at, i64));
  }
  return makeMemRef(builder, loc, type, address, sizes, strides);
}
