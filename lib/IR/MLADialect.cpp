//===- MLADialect.cpp - The mla dialect -----------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/IR/MLADialect.h"
#include "mla/IR/MLAOps.h"
#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mla;

#include "mla/IR/MLADialect.cpp.inc"
#include "mla/IR/MLAEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mla/IR/MLAAttrs.cpp.inc"

namespace {

/// Stores the version with every bytecode file that holds mla operations, and
/// refuses files of a later one.
struct MLABytecodeInterface : public BytecodeDialectInterface {
  explicit MLABytecodeInterface(Dialect *dialect)
      : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const override {
    writer.writeVarInt(MLADialect::kBytecodeVersion);
  }

  std::unique_ptr<DialectVersion>
  readVersion(DialectBytecodeReader &reader) const override {
    uint64_t version;
    if (failed(reader.readVarInt(version)))
      return nullptr;
    if (version > MLADialect::kBytecodeVersion) {
      reader.emitError("expected mla bytecode of version ")
          << MLADialect::kBytecodeVersion << " or earlier, got " << version;
      return nullptr;
    }
    return std::make_unique<MLADialectVersion>(version);
  }
};

bool isStringArray(Attribute attribute) {
  auto array = dyn_cast<ArrayAttr>(attribute);
  return array && llvm::all_of(array, llvm::IsaPred<StringAttr>);
}

} // namespace

LogicalResult RopeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               RopeStyle, int64_t headDim, bool) {
  if (headDim < 0 || headDim % 2 != 0)
    return emitError() << "head_dim: expected an even number of columns, got "
                       << headDim;
  return success();
}

StringAttr MLADialect::getSizeName(ArrayAttr dims, int64_t dim) {
  if (!dims || dim < 0 || dim >= static_cast<int64_t>(dims.size()))
    return {};
  auto name = dyn_cast<StringAttr>(dims[dim]);
  return name && !name.empty() && name != "?" ? name : StringAttr();
}

LogicalResult MLADialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto refuse = [&](StringRef expected) {
    return op->emitOpError()
           << name << ": expected " << expected << ", got " << value;
  };
  if ((name == kRopeOffAttr || name == kWorkspaceAttr) &&
      !isa<StringAttr>(value))
    return refuse("a string");
  if (name == kHostAttr && !isa<UnitAttr>(value))
    return refuse("a unit attribute");
  if (name == kNotesAttr && !isStringArray(value))
    return refuse("an array of strings");
  return success();
}

LogicalResult MLADialect::verifyRegionArgAttribute(Operation *op,
                                                   unsigned region,
                                                   unsigned argument,
                                                   NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto refuse = [&](const Twine &expected) {
    return op->emitOpError() << name << " of argument #" << argument
                             << ": expected " << expected << ", got " << value;
  };
  auto string = dyn_cast<StringAttr>(value);
  if (name == kNameAttr && (!string || string.empty()))
    return refuse("a string that is not empty");
  if (name == kRoleAttr &&
      (!string ||
       !llvm::is_contained({"input", "output", "inout", "constant", "scalar"},
                           string.getValue())))
    return refuse("one of \"input\", \"output\", \"inout\", \"constant\" and "
                  "\"scalar\"");
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type argumentType = function ? function.getArgumentTypes()[argument] : Type();
  auto type = dyn_cast_or_null<ShapedType>(argumentType);
  if (name == kRoleAttr) {
    // A scalar is in host memory, where no kernel looks for a tensor.
    if (type && string == "scalar")
      return refuse("a role of tensors, for it is one");
    if (argumentType && argumentType.isIndex() && string != "scalar")
      return refuse("\"scalar\", for it is an index");
  }
  if (name != kDimsAttr)
    return success();
  if (!isStringArray(value))
    return refuse("an array of strings");
  if (type && type.hasRank() &&
      type.getRank() != static_cast<int64_t>(cast<ArrayAttr>(value).size()))
    return refuse(Twine(type.getRank()) + " names, one for each dimension");
  return success();
}

void MLADialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mla/IR/MLAAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mla/IR/MLAOps.cpp.inc"
      >();
  addInterfaces<MLABytecodeInterface>();
}
