//===- RuntimeCalls.h - Building blocks of runtime calls --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_MLATORUNTIME_RUNTIMECALLS_H
#define LIB_CONVERSION_MLATORUNTIME_RUNTIMECALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/SymbolTable.h"

namespace mla {

struct Columns;
class References;

/// Marks a function's context argument.
constexpr llvm::StringLiteral kContextAttr = "mla.context";
constexpr llvm::StringLiteral kDefaultContext = "mla_context_default";

/// The context that mla-thread-context gave `function`, null when it didn't.
mlir::Value getRuntimeContext(mlir::func::FuncOp function);

/// Calls the external function `name` with C types, declaring it when needed in
/// the module that `symbols` is of. Returns its result, null when `result` is.
mlir::Value callRuntime(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::SymbolTable &symbols, llvm::StringRef name,
                        mlir::Type result, mlir::ValueRange arguments);

/// The address of a NUL-terminated constant of the module.
mlir::Value getString(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::SymbolTable &symbols, llvm::StringRef text);

/// The runtime's code for an element type, MLA_DTYPE_NONE when it has none.
uint32_t getDtypeCode(mlir::Type elementType);

/// A memref made of a pointer, sizes and strides in elements (both i64 in
/// LLVM's sense), with no offset.
mlir::Value makeMemRef(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::MemRefType type, mlir::Value pointer,
                       mlir::ValueRange sizes, mlir::ValueRange strides);

/// A memref made of the mla_tensor that `tensor` points to.
mlir::Value loadMemRef(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::MemRefType type, mlir::Value tensor);

/// The `type` at `offset` bytes behind `base`.
mlir::Value loadField(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value base, uint64_t offset, mlir::Type type);

/// Turns the mla operations, copies and fills of one function into calls. Their
/// descriptors live in stack slots that all calls share, since the runtime
/// borrows them for the call only: a step of a thousand layers needs no more
/// stack than one.
class CallBuilder {
public:
  CallBuilder(mlir::SymbolTable &symbols, const References &references,
              mlir::func::FuncOp function)
      : symbols(symbols), references(references), function(function) {}

  /// Replaces `op`; fails with a diagnostic when the runtime has no such field.
  llvm::LogicalResult convert(mlir::Operation *op);

private:
  struct Fields;
  llvm::LogicalResult collect(mlir::Operation *op, Fields &fields);
  mlir::Value getSlot(unsigned index, uint64_t size);
  /// The module's function that fills an mla_tensor of `rank`: out of line,
  /// since a step has thousands of them and the compiler's time goes with the
  /// code's size.
  mlir::LLVM::LLVMFuncOp getTensorWriter(int64_t rank);
  /// The address of an mla_tensor that is `memref` or its `columns`: what the
  /// entry's caller gave, or else slot `slot`, filled ahead of the call.
  mlir::Value storeTensor(mlir::OpBuilder &builder, mlir::Location loc,
                          unsigned slot, mlir::Value memref,
                          const std::optional<Columns> &columns);

  mlir::SymbolTable &symbols;
  const References &references;
  mlir::func::FuncOp function;
  /// Slot 0 holds parameters, the others one mla_tensor each.
  llvm::SmallVector<mlir::Value> slots;
};

/// Turns the public function `body` into an entry of the ABI around a private
/// body. `types`: its arguments', which are pointers by now where they pass the
/// entry's on. `isReferenced`: whether anything in the module may refer to it
/// by name.
llvm::LogicalResult buildEntry(mlir::SymbolTable &symbols,
                               mlir::func::FuncOp body,
                               llvm::ArrayRef<mlir::Type> types,
                               bool isReferenced);

/// Whether only what may touch device memory's addresses, never its contents,
/// is left in `function`; else emits an error.
llvm::LogicalResult checkLegality(mlir::func::FuncOp function);

} // namespace mla

#endif // LIB_CONVERSION_MLATORUNTIME_RUNTIMECALLS_H
