//===- Canonicalization.h - What canonical forms share ----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_LIB_IR_CANONICALIZATION_H
#define MLA_LIB_IR_CANONICALIZATION_H

#include "mla/IR/MLAOps.h"

namespace mla::detail {

/// An operand that is not needed. `replacement` is the value of the result that
/// follows it, null for an input.
struct DroppedOperand {
  llvm::StringRef name;
  mlir::Value replacement;
};

/// Replaces `op`, on tensors, by one without the operands `dropped`; by nothing
/// when no destination is left.
void replaceWithout(mlir::RewriterBase &rewriter, MLAOpInterface op,
                    llvm::ArrayRef<DroppedOperand> dropped);

/// Whether results are values: what buffers hold may not be forwarded.
inline bool isOnTensors(mlir::Operation *op) {
  return llvm::cast<mlir::DestinationStyleOpInterface>(op)
      .hasPureTensorSemantics();
}

/// `value` as a value of `type`, null when no cast can make it one.
mlir::Value castTo(mlir::RewriterBase &rewriter, mlir::Value value,
                   mlir::Type type);

/// What `value` is known to be, null when it isn't constant.
mlir::ElementsAttr getConstant(mlir::Value value);

/// Ropes that rotate nothing.
void populateRopeCanonicalization(mlir::RewritePatternSet &patterns);
/// Operands without elements.
void populateEmptyOperandCanonicalization(mlir::RewritePatternSet &patterns);

} // namespace mla::detail

#endif // MLA_LIB_IR_CANONICALIZATION_H
