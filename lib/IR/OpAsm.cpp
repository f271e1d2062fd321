//===- OpAsm.cpp - The assembly form of all mla operations ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// mla.NAME ins(operand = %value : type, ...) outs(operand = %value : type, ...)
//   {attributes}
//
// Operands are written by name, in any order; those absent are left out. The
// results are the destinations that are tensors.

#include "mla/IR/MLAOps.h"

using namespace mlir;
using namespace mla;

namespace {
struct ParsedOperand {
  OpAsmParser::UnresolvedOperand operand;
  Type type;
  SMLoc loc;
};
} // namespace

static ParseResult
parseNamedOperands(OpAsmParser &parser, StringRef opName,
                   ArrayRef<OperandSpec> specs, bool inits,
                   MutableArrayRef<std::optional<ParsedOperand>> parsed) {
  auto parseOne = [&]() -> ParseResult {
    StringRef name;
    ParsedOperand result;
    result.loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual() ||
        parser.parseOperand(result.operand) ||
        parser.parseColonType(result.type))
      return failure();
    for (auto [index, spec] : llvm::enumerate(specs)) {
      if (spec.name != name || spec.isInit != inits)
        continue;
      if (parsed[index])
        return parser.emitError(result.loc)
               << "operand '" << name << "' is given twice";
      parsed[index] = result;
      return success();
    }
    InFlightDiagnostic diagnostic = parser.emitError(result.loc)
                                    << "expected an operand of " << opName
                                    << (inits ? " outs (" : " ins (");
    llvm::interleaveComma(
        llvm::make_filter_range(
            specs, [&](const OperandSpec &s) { return s.isInit == inits; }),
        diagnostic, [&](const OperandSpec &s) { diagnostic << s.name; });
    return diagnostic << "), got '" << name << "'";
  };
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren,
                                        parseOne);
}

/// An attribute that isn't the operation's own has a dialect's prefix: a slip
/// of the pen must not pass for one. (Names with __ are those of analyses.)
static ParseResult checkAttributeNames(OpAsmParser &parser, SMLoc loc,
                                       const OperationState &state) {
  for (NamedAttribute attribute : state.attributes) {
    StringRef name = attribute.getName();
    if (name.contains('.') || name.starts_with("__") ||
        llvm::is_contained(state.name.getAttributeNames(), attribute.getName()))
      continue;
    return parser.emitError(loc)
           << state.name << " has no attribute '" << name << "'";
  }
  return success();
}

ParseResult mla::detail::parseOperands(OpAsmParser &parser,
                                       OperationState &state,
                                       ArrayRef<OperandSpec> specs,
                                       SmallVectorImpl<int32_t> &segments) {
  SmallVector<std::optional<ParsedOperand>> parsed(specs.size());
  StringRef opName = state.name.getStringRef();
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword("ins") ||
      parseNamedOperands(parser, opName, specs, false, parsed) ||
      parser.parseKeyword("outs") ||
      parseNamedOperands(parser, opName, specs, true, parsed))
    return failure();
  SMLoc attributesLoc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(state.attributes) ||
      checkAttributeNames(parser, attributesLoc, state))
    return failure();
  for (auto [spec, operand] : llvm::zip_equal(specs, parsed)) {
    segments.push_back(operand.has_value());
    if (!operand) {
      if (!spec.isOptional)
        return parser.emitError(loc)
               << "expected operand '" << spec.name << "' of " << opName;
      continue;
    }
    if (parser.resolveOperand(operand->operand, operand->type, state.operands))
      return failure();
    if (spec.isInit && isa<TensorType>(operand->type))
      state.addTypes(operand->type);
  }
  return success();
}

void mla::detail::printOp(Operation *op, OpAsmPrinter &printer) {
  auto mlaOp = cast<MLAOpInterface>(op);
  for (bool inits : {false, true}) {
    printer << (inits ? " outs(" : " ins(");
    bool first = true;
    for (auto [index, spec] : llvm::enumerate(mlaOp.getOperandSpecs())) {
      Value value = mlaOp.getSpecOperand(index);
      if (spec.isInit != inits || !value)
        continue;
      printer << (first ? "" : ", ") << spec.name << " = " << value << " : "
              << value.getType();
      first = false;
    }
    printer << ')';
  }
  printer.printOptionalAttrDict(
      op->getAttrDictionary().getValue(),
      {OpTrait::AttrSizedOperandSegments<void>::getOperandSegmentSizeAttr()});
}
