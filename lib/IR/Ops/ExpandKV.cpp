//===- ExpandKV.cpp - mla.ExpandKV ----------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/DimSolver.h"
#include "mla/IR/MLAOps.h"

using namespace mlir;
using namespace mla;

LogicalResult ExpandKVOp::verify() { return success(); }
