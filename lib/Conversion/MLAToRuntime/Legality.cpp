//===- Legality.cpp - What may be left outside calls of the runtime -------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeCalls.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mla;

static bool isLegal(Operation *op) {
  if (isa<ViewLikeOpInterface, memref::DimOp, memref::CastOp,
          memref::ExtractStridedMetadataOp,
          memref::ExtractAlignedPointerAsIndexOp, UnrealizedConversionCastOp,
          func::FuncOp, func::CallOp, func::ReturnOp>(op))
    return true;
  Dialect *dialect = op->getDialect();
  if (!isa_and_nonnull<affine::AffineDialect, arith::ArithDialect,
                       cf::ControlFlowDialect, index::IndexDialect,
                       LLVM::LLVMDialect, scf::SCFDialect, ub::UBDialect>(
          dialect))
    return false;
  return !isa<affine::AffineLoadOp, affine::AffineStoreOp>(op);
}

LogicalResult mla::checkLegality(func::FuncOp function) {
  WalkResult result = function.walk([&](Operation *op) {
    if (isLegal(op))
      return WalkResult::advance();
    InFlightDiagnostic diagnostic =
        op->emitError(
            "expected only shape arithmetic, views, control flow on host "
            "scalars and calls of the runtime, got '")
        << op->getName() << "'";
    if (isa<memref::GetGlobalOp>(op))
      diagnostic << ": make the constant an entry argument with mla.role = "
                    "\"constant\"";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
