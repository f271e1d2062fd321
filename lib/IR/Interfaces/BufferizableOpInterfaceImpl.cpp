//===- BufferizableOpInterfaceImpl.cpp - Bufferization --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/Interfaces/BufferizableOpInterfaceImpl.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mla;

namespace {

/// Destinations are read-modify-write, so the default for destination-style
/// operations (every operand is read, a destination also written, its result in
/// place) is the truth for all of ours.
template <typename OpTy>
struct MLAOpBufferization
    : public DstBufferizableOpInterfaceExternalModel<MLAOpBufferization<OpTy>,
                                                     OpTy> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    SmallVector<Value> inits(
        ArrayRef<Value>(operands).take_back(op->getNumResults()));

    rewriter.setInsertionPoint(op);
    OperationState newOp(op->getLoc(), op->getName(), operands,
                         /*types=*/TypeRange());
    newOp.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    newOp.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.create(newOp);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

template <typename... OpTys> void attachAll(MLIRContext *context) {
  (OpTys::template attachInterface<MLAOpBufferization<OpTys>>(*context), ...);
}

} // namespace

void mla::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, MLADialect *) {
    attachAll<
#define GET_OP_LIST
#include "mla/IR/MLAOps.cpp.inc"
        >(context);
  });
}
