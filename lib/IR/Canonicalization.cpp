//===- Canonicalization.cpp - What canonical forms share ------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Canonicalization.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mla;

void mla::detail::replaceWithout(RewriterBase &rewriter, MLAOpInterface op,
                                 ArrayRef<DroppedOperand> dropped) {
  OperationState state(op->getLoc(), op->getName());
  SmallVector<int32_t> segments;
  SmallVector<Value> replacements;
  for (auto [index, spec] : llvm::enumerate(op.getOperandSpecs())) {
    Value value = op.getSpecOperand(index);
    const DroppedOperand *drop =
        llvm::find_if(dropped, [name = StringRef(spec.name)](auto &candidate) {
          return candidate.name == name;
        });
    bool isKept = value && drop == dropped.end();
    segments.push_back(isKept);
    if (isKept)
      state.operands.push_back(value);
    if (!value || !spec.isInit)
      continue;
    replacements.push_back(isKept ? Value() : drop->replacement);
    if (isKept)
      state.types.push_back(value.getType());
  }
  if (state.types.empty()) {
    rewriter.replaceOp(op, replacements);
    return;
  }

  state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
  NamedAttrList properties(
      cast<DictionaryAttr>(op->getPropertiesAsAttribute()));
  properties.set(
      OpTrait::AttrSizedOperandSegments<void>::getOperandSegmentSizeAttr(),
      rewriter.getDenseI32ArrayAttr(segments));
  state.propertiesAttr = properties.getDictionary(rewriter.getContext());
  Operation *newOp = rewriter.create(state);
  unsigned nextResult = 0;
  for (Value &replacement : replacements)
    if (!replacement)
      replacement = newOp->getResult(nextResult++);
  rewriter.replaceOp(op, replacements);
}

Value mla::detail::castTo(RewriterBase &rewriter, Value value, Type type) {
  if (value.getType() == type)
    return value;
  if (!tensor::CastOp::areCastCompatible(value.getType(), type))
    return {};
  return tensor::CastOp::create(rewriter, value.getLoc(), type, value);
}

ElementsAttr mla::detail::getConstant(Value value) {
  while (auto castOp = value.getDefiningOp<tensor::CastOp>())
    value = castOp.getSource();
  ElementsAttr constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  return constant;
}

void MLADialect::getCanonicalizationPatterns(
    RewritePatternSet &patterns) const {
  mla::detail::populateRopeCanonicalization(patterns);
  mla::detail::populateEmptyOperandCanonicalization(patterns);
}
