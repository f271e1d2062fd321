//===- ConstantRows.h - Constant tables of many rows ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_MLATORUNTIME_CONSTANTROWS_H
#define MLA_CONVERSION_MLATORUNTIME_CONSTANTROWS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mla {

/// Makes the `rows` one after the other the value of `global`, an array of as
/// many, whose initializer `builder` is in. For many rows the global becomes a
/// struct of arrays, which has the same layout: LLVM makes a constant of the
/// whole size for each element that is inserted.
void setConstantRows(mlir::OpBuilder &builder, mlir::LLVM::GlobalOp global,
                     llvm::ArrayRef<mlir::Value> rows);

} // namespace mla

#endif // MLA_CONVERSION_MLATORUNTIME_CONSTANTROWS_H
