//===- MLADialect.h - The mla dialect and its attributes --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLADIALECT_H
#define MLA_IR_MLADIALECT_H

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"

#include "mla/IR/MLADialect.h.inc"
#include "mla/IR/MLAEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mla/IR/MLAAttrs.h.inc"

namespace mla {

/// The version of the dialect that a bytecode file was written by.
struct MLADialectVersion : public mlir::DialectVersion {
  explicit MLADialectVersion(uint64_t version) : version(version) {}
  uint64_t version;
};

} // namespace mla

#endif // MLA_IR_MLADIALECT_H
