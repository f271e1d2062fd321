//===- EntryTable.cpp - What a module's entries ask of their callers ------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The manifest says the same as text; this table is for callers that have no
// reader of JSON.
//
//===----------------------------------------------------------------------===//

#include "EntryTable.h"

#include "mla/Conversion/MLAToRuntime/ConstantRows.h"
#include "mla_runtime/runtime.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include <cstddef>

using namespace mlir;
using namespace mla;

// The struct type below.
static_assert(offsetof(mla_entry_spec, name) == 0 &&
              offsetof(mla_entry_spec, args) == 8 &&
              offsetof(mla_entry_spec, num_args) == 16 &&
              sizeof(mla_entry_spec) == 24);

/// The internal constant with the entry's name.
static LLVM::GlobalOp addName(SymbolTable &symbols, StringRef name) {
  auto module = cast<ModuleOp>(symbols.getOp());
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  std::string text = name.str() + '\0';
  auto global = LLVM::GlobalOp::create(
      builder, module.getLoc(),
      LLVM::LLVMArrayType::get(builder.getI8Type(), text.size()),
      /*isConstant=*/true, LLVM::Linkage::Internal, (name + ".name").str(),
      builder.getStringAttr(text));
  symbols.insert(global);
  return global;
}

void mla::addEntryTable(ModuleOp module, const Manifest &manifest) {
  MLIRContext *context = module.getContext();
  Location loc = module.getLoc();
  SymbolTable symbols(module);
  SmallVector<LLVM::GlobalOp> names;
  for (const ManifestEntry &entry : manifest.entries)
    names.push_back(addName(symbols, entry.name));

  auto builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(context),
       i64 = builder.getI64Type();
  auto spec =
      LLVM::LLVMStructType::getLiteral(context, {pointer, pointer, i64});
  auto table = LLVM::GlobalOp::create(
      builder, loc, LLVM::LLVMArrayType::get(spec, names.size() + 1),
      /*isConstant=*/true, LLVM::Linkage::External, "mla_module_entries",
      Attribute(), /*alignment=*/8);
  builder.createBlock(&table.getInitializerRegion());
  SmallVector<Value> rows;
  for (auto [name, entry] : llvm::zip_equal(names, manifest.entries)) {
    auto arguments = symbols.lookup<LLVM::GlobalOp>(entry.name + ".args");
    auto count = static_cast<int64_t>(entry.arguments.size());
    Value row = LLVM::ZeroOp::create(builder, loc, spec);
    auto insert = [&](Value value, int64_t position) {
      row = LLVM::InsertValueOp::create(builder, loc, row, value, position);
    };
    insert(LLVM::AddressOfOp::create(builder, loc, name), 0);
    insert(LLVM::AddressOfOp::create(builder, loc, arguments), 1);
    insert(LLVM::ConstantOp::create(builder, loc,
                                    builder.getI64IntegerAttr(count)),
           2);
    rows.push_back(row);
  }
  // The table's end.
  rows.push_back(LLVM::ZeroOp::create(builder, loc, spec));
  setConstantRows(builder, table, rows);
}
