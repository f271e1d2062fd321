//===- OpSupport.h - What the operations' generated code calls --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_OPSUPPORT_H
#define MLA_IR_OPSUPPORT_H

#include "mla/IR/MLADialect.h"
#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mla {

/// One named operand of an operation; see MLA_Operand in MLAOpBase.td.
struct OperandSpec {
  llvm::StringLiteral name;
  /// The shape's symbols, such as "T,H,L+R"; "-" for a host scalar.
  llvm::StringLiteral dims;
  bool isOptional;
  bool isInit;
};

namespace detail {

mlir::Value getNamedOperand(mlir::Operation *op, llvm::StringRef name);
mlir::Value getNamedResult(mlir::Operation *op, llvm::StringRef name);
void eraseNamedOperand(mlir::Operation *op, llvm::StringRef name);
void noteRopeOff(mlir::Operation *op, llvm::StringRef reason);
llvm::LogicalResult verifyOperands(mlir::Operation *op);
mlir::MutableOperandRange getDpsInits(mlir::Operation *op);
void getEffects(mlir::Operation *op,
                llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<
                    mlir::MemoryEffects::Effect>> &effects);
llvm::LogicalResult
reifyResultShapes(mlir::Operation *op, mlir::OpBuilder &builder,
                  mlir::ReifiedRankedShapedTypeDims &shapes);
void getAsmResultNames(mlir::Operation *op,
                       mlir::OpAsmSetValueNameFn setNameFn);
void printOp(mlir::Operation *op, mlir::OpAsmPrinter &printer);

/// Parses `ins(name = %v : type, ...) outs(...) {attributes}`. Fills one
/// segment size, 0 or 1, for each of `specs`.
mlir::ParseResult parseOperands(mlir::OpAsmParser &parser,
                                mlir::OperationState &state,
                                llvm::ArrayRef<OperandSpec> specs,
                                llvm::SmallVectorImpl<int32_t> &segments);

/// What operations with attributes or optional operands have.
template <typename OpTy>
using VerifyInherentAttrs = decltype(&OpTy::verifyInherentAttrs);

template <typename OpTy>
mlir::ParseResult parseOp(mlir::OpAsmParser &parser,
                          mlir::OperationState &state) {
  llvm::SmallVector<int32_t> segments;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parseOperands(parser, state, OpTy::getOperandSpecs(), segments))
    return mlir::failure();
  // An attribute of another type would be dropped on its way to the properties.
  if constexpr (llvm::is_detected<VerifyInherentAttrs, OpTy>::value)
    if (mlir::failed(
            OpTy::verifyInherentAttrs(state.name, state.attributes,
                                      [&] { return parser.emitError(loc); })))
      return mlir::failure();
  if constexpr (OpTy::template hasTrait<
                    mlir::OpTrait::AttrSizedOperandSegments>())
    llvm::copy(segments, state.getOrAddProperties<typename OpTy::Properties>()
                             .operandSegmentSizes.begin());
  return mlir::success();
}

template <typename OpTy> void eraseSpecOperand(OpTy op, unsigned index) {
  assert(OpTy::getOperandSpecs()[index].isOptional &&
         !OpTy::getOperandSpecs()[index].isInit);
  if constexpr (OpTy::template hasTrait<
                    mlir::OpTrait::AttrSizedOperandSegments>()) {
    auto [first, size] = op.getODSOperandIndexAndLength(index);
    if (size == 0)
      return;
    op->eraseOperand(first);
    op.getProperties().operandSegmentSizes[index] = 0;
  }
}

/// Brings properties that the reader's version of the dialect wrote up to date.
mlir::DictionaryAttr upgradeProperties(mlir::DialectBytecodeReader &reader,
                                       llvm::StringRef op,
                                       llvm::ArrayRef<OperandSpec> specs,
                                       mlir::DictionaryAttr properties);

// Properties travel as a dictionary: reading is by name, so an operation that
// gains an attribute reads its older bytecode. Of operands there are sizes
// alone, in order: upgradeProperties lists those that an operation gained.
template <typename OpTy>
llvm::LogicalResult readProperties(mlir::DialectBytecodeReader &reader,
                                   mlir::OperationState &state) {
  mlir::DictionaryAttr attributes;
  if (mlir::failed(reader.readAttribute(attributes)))
    return mlir::failure();
  attributes = upgradeProperties(reader, OpTy::getOperationName(),
                                 OpTy::getOperandSpecs(), attributes);
  return OpTy::setPropertiesFromAttr(
      state.getOrAddProperties<typename OpTy::Properties>(), attributes,
      [&] { return reader.emitError("properties of ") << state.name << ": "; });
}

template <typename OpTy>
void writeProperties(OpTy op, mlir::DialectBytecodeWriter &writer) {
  writer.writeAttribute(op->getPropertiesAsAttribute());
}

} // namespace detail
} // namespace mla

#endif // MLA_IR_OPSUPPORT_H
