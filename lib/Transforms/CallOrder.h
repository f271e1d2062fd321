//===- CallOrder.h - Functions, callees first -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_CALLORDER_H
#define LIB_TRANSFORMS_CALLORDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mla::detail {

/// Calls `visit` for each function of the module that has a body, those that it
/// calls before it, and says whether it calls itself, perhaps through others.
void visitCalleesFirst(
    mlir::ModuleOp module,
    llvm::function_ref<void(mlir::func::FuncOp, bool isRecursive)> visit);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_CALLORDER_H
