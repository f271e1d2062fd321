//===- ConstantRows.cpp - Constant tables of many rows --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Conversion/MLAToRuntime/ConstantRows.h"

#include <cmath>

using namespace mlir;
using namespace mla;

/// An aggregate of `type` with the elements `values`.
static Value insertAll(OpBuilder &builder, Location loc, Type type,
                       ArrayRef<Value> values) {
  Value all = LLVM::PoisonOp::create(builder, loc, type);
  for (auto [index, value] : llvm::enumerate(values))
    all = LLVM::InsertValueOp::create(builder, loc, all, value,
                                      static_cast<int64_t>(index));
  return all;
}

void mla::setConstantRows(OpBuilder &builder, LLVM::GlobalOp global,
                          ArrayRef<Value> rows) {
  constexpr size_t kFew = 64;
  Location loc = global.getLoc();
  Type row = cast<LLVM::LLVMArrayType>(global.getType()).getElementType();
  auto makeArray = [&](ArrayRef<Value> part) {
    return insertAll(builder, loc, LLVM::LLVMArrayType::get(row, part.size()),
                     part);
  };
  if (rows.size() <= kFew) {
    LLVM::ReturnOp::create(builder, loc, makeArray(rows));
    return;
  }
  // As many parts as a part has rows: the fewest elements written.
  auto length = static_cast<size_t>(
      std::ceil(std::sqrt(static_cast<double>(rows.size()))));
  SmallVector<Value> parts;
  for (; !rows.empty(); rows = rows.drop_front(std::min(length, rows.size())))
    parts.push_back(makeArray(rows.take_front(length)));
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), llvm::to_vector(ValueRange(parts).getTypes()));
  global.setGlobalType(type);
  LLVM::ReturnOp::create(builder, loc, insertAll(builder, loc, type, parts));
}
