//===- MLAOps.cpp - Generated definitions of the mla operations -----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLAOps.h"

using namespace mlir;

#include "mla/IR/MLAInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "mla/IR/MLAOps.cpp.inc"
