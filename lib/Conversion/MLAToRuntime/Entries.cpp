//===- Entries.cpp - Entries of the ABI around private bodies -------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeCalls.h"
#include "mla/Conversion/MLAToRuntime/ConstantRows.h"
#include "mla/IR/CacheRow.h"
#include "mla/IR/MLADialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"

#include "mla_runtime/runtime.h"

#include <cstddef>

using namespace mlir;
using namespace mla;

namespace {

/// Emits one entry. The layout of mla_arg_spec and mla_tensor is the C
/// header's.
class EntryBuilder {
public:
  EntryBuilder(SymbolTable &symbols, func::FuncOp body, ArrayRef<Type> types)
      : symbols(symbols), body(body), types(types), loc(body.getLoc()),
        builder(body.getContext()),
        pointer(LLVM::LLVMPointerType::get(body.getContext())) {}

  LogicalResult build(StringRef name);

private:
  FailureOr<LLVM::GlobalOp> buildSpecs(StringRef name);
  Value constant(int64_t value, unsigned bits) {
    return LLVM::ConstantOp::create(
        builder, loc,
        builder.getIntegerAttr(builder.getIntegerType(bits), value));
  }
  /// What the body's argument `index` is, of the entry's `args`.
  Value buildArgument(Value args, unsigned index);

  SymbolTable &symbols;
  func::FuncOp body;
  ArrayRef<Type> types;
  Location loc;
  OpBuilder builder;
  LLVM::LLVMPointerType pointer;
};

} // namespace

static std::optional<uint32_t> parseRole(StringRef role) {
  return llvm::StringSwitch<std::optional<uint32_t>>(role)
      .Case("input", MLA_ROLE_INPUT)
      .Case("output", MLA_ROLE_OUTPUT)
      .Case("inout", MLA_ROLE_INOUT)
      .Case("constant", MLA_ROLE_CONSTANT)
      .Case("scalar", MLA_ROLE_SCALAR)
      .Default(std::nullopt);
}

FailureOr<LLVM::GlobalOp> EntryBuilder::buildSpecs(StringRef name) {
  Type i32 = builder.getI32Type();
  auto dimsType = LLVM::LLVMArrayType::get(builder.getI64Type(), MLA_MAX_RANK);
  auto specType = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), {pointer, i32, i32, i32, i32, dimsType});
  unsigned numArgs = body.getNumArguments() - 1;

  builder.setInsertionPoint(body);
  auto global = LLVM::GlobalOp::create(
      builder, loc, LLVM::LLVMArrayType::get(specType, numArgs),
      /*isConstant=*/true, LLVM::Linkage::Internal, (name + ".args").str(),
      Attribute());
  symbols.insert(global);
  builder.createBlock(&global.getInitializerRegion());
  SmallVector<Value> specs;
  auto insert = [&](Value value, int64_t position) {
    specs.back() = LLVM::InsertValueOp::create(builder, loc, specs.back(),
                                               value, position);
  };

  llvm::MapVector<StringRef, int64_t> sizeNames;
  for (int64_t i = 0; i < numArgs; ++i) {
    unsigned arg = i + 1;
    auto nameAttr =
        body.getArgAttrOfType<StringAttr>(arg, MLADialect::kNameAttr);
    auto roleAttr =
        body.getArgAttrOfType<StringAttr>(arg, MLADialect::kRoleAttr);
    auto dims = body.getArgAttrOfType<ArrayAttr>(arg, MLADialect::kDimsAttr);
    std::optional<uint32_t> role =
        roleAttr ? parseRole(roleAttr.getValue()) : std::nullopt;
    if (!nameAttr || !role)
      return body.emitError("entry '")
             << name << "': expected argument " << i
             << " to have mla.name and a valid mla.role; run "
                "mla-prepare-entries first";
    Type type = types[arg];
    auto memref = dyn_cast<MemRefType>(type);
    // A scalar of the entry is an index here and an i64 outside.
    uint32_t dtype = getDtypeCode(memref ? memref.getElementType() : type);
    if (!memref && !type.isIndex())
      dtype = MLA_DTYPE_NONE;
    if (dtype == MLA_DTYPE_NONE || (memref && memref.getRank() > MLA_MAX_RANK))
      return body.emitError("entry '")
             << name << "', argument '" << nameAttr.getValue()
             << "': expected an index or a tensor of an element type that the "
                "ABI has and rank up to 6, got "
             << type;
    specs.push_back(LLVM::PoisonOp::create(builder, loc, specType));
    insert(getString(builder, loc, symbols, nameAttr.getValue()), 0);
    insert(constant(*role, 32), 1);
    insert(constant(dtype, 32), 2);
    insert(constant(memref ? memref.getRank() : 0, 32), 3);
    bool isPacked = memref && memref.getRank() == 3 && isPackedCache(memref);
    insert(constant(isPacked ? MLA_ARG_PACKED_ROWS : 0, 32), 4);
    SmallVector<int64_t> sizes(MLA_MAX_RANK, 0);
    for (int64_t d = 0; memref && d < memref.getRank(); ++d) {
      sizes[d] = memref.getDimSize(d);
      if (!ShapedType::isDynamic(sizes[d]))
        continue;
      // -1 is a size of its own; names count down from -2.
      sizes[d] = -1;
      if (StringAttr symbol = MLADialect::getSizeName(dims, d))
        sizes[d] = sizeNames
                       .try_emplace(symbol.getValue(),
                                    -2 - static_cast<int64_t>(sizeNames.size()))
                       .first->second;
    }
    insert(LLVM::ConstantOp::create(builder, loc, dimsType,
                                    builder.getI64TensorAttr(sizes)),
           5);
  }
  setConstantRows(builder, global, specs);
  return global;
}

Value EntryBuilder::buildArgument(Value args, unsigned index) {
  // The body's first argument is the context.
  uint64_t base = (index - 1) * sizeof(mla_tensor);
  Value tensor =
      LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), args,
                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(base)});
  Type type = body.getArgument(index).getType();
  if (type == pointer)
    return tensor;
  if (auto memref = dyn_cast<MemRefType>(type))
    return loadMemRef(builder, loc, memref, tensor);
  Value data =
      loadField(builder, loc, tensor, offsetof(mla_tensor, data), pointer);
  Value offset =
      loadField(builder, loc, tensor, offsetof(mla_tensor, byte_offset),
                builder.getI64Type());
  Value address =
      LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), data,
                          ArrayRef<LLVM::GEPArg>{offset});
  Value scalar =
      LLVM::LoadOp::create(builder, loc, builder.getI64Type(), address);
  return arith::IndexCastOp::create(builder, loc, type, scalar);
}

LogicalResult EntryBuilder::build(StringRef name) {
  if (body.getNumResults())
    return body.emitError("entry '")
           << name << "': expected every result to be a destination argument, "
           << "got " << body.getNumResults()
           << " other results; run mla-prepare-entries and "
              "mla-finalize-entries first";
  auto specs = buildSpecs(name);
  if (failed(specs))
    return failure();

  Type i32 = builder.getI32Type();
  builder.setInsertionPoint(body);
  // A func.func, so that the conversion to LLVM treats both sides of the call
  // to the body alike; its arguments are the C types already.
  auto entry = func::FuncOp::create(
      builder, loc, name,
      builder.getFunctionType({pointer, pointer, builder.getI64Type()}, i32));
  symbols.insert(entry);
  Block *block = entry.addEntryBlock();
  Block *refused = entry.addBlock(), *accepted = entry.addBlock();
  Value context = block->getArgument(0), args = block->getArgument(1);

  builder.setInsertionPointToStart(block);
  Value status = callRuntime(builder, loc, symbols, "mla_begin", i32,
                             {context, getString(builder, loc, symbols, name),
                              LLVM::AddressOfOp::create(builder, loc, *specs),
                              constant(body.getNumArguments() - 1, 64), args,
                              block->getArgument(2)});
  Value isOk = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                     status, constant(MLA_STATUS_OK, 32));
  cf::CondBranchOp::create(builder, loc, isOk, accepted, refused);

  builder.setInsertionPointToStart(refused);
  func::ReturnOp::create(builder, loc, status);

  builder.setInsertionPointToStart(accepted);
  SmallVector<Value> operands{context};
  for (unsigned i = 1; i < body.getNumArguments(); ++i)
    operands.push_back(buildArgument(args, i));
  func::CallOp::create(builder, loc, body, operands);
  func::ReturnOp::create(
      builder, loc,
      callRuntime(builder, loc, symbols, "mla_end", i32, context));
  return success();
}

/// Looking for uses means looking through the whole module, which entries that
/// nobody refers to can do without.
static LogicalResult rename(SymbolTable &symbols, func::FuncOp function,
                            const std::string &name, bool isReferenced) {
  if (isReferenced)
    return symbols.rename(function, name);
  if (symbols.lookup(name))
    return failure();
  symbols.remove(function);
  function.setName(name);
  symbols.insert(function);
  return success();
}

LogicalResult mla::buildEntry(SymbolTable &symbols, func::FuncOp body,
                              ArrayRef<Type> types, bool isReferenced) {
  std::string name = body.getName().str();
  if (failed(rename(symbols, body, name + ".body", isReferenced)))
    return body.emitError("expected no other symbol '")
           << name << ".body' and replaceable uses of '" << name << "'";
  // The driver finds the entry's arguments by this name.
  if (symbols.lookup(name + ".args"))
    return body.emitError("expected no other symbol '") << name << ".args'";
  body.setPrivate();
  return EntryBuilder(symbols, body, types).build(name);
}
