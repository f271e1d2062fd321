//===- MLAOps.h - The mla operations ----------------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_MLAOPS_H
#define MLA_IR_MLAOPS_H

#include "mla/IR/OpSupport.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

#include "mla/IR/MLAInterfaces.h.inc"

#define GET_OP_CLASSES
#include "mla/IR/MLAOps.h.inc"

#endif // MLA_IR_MLAOPS_H
