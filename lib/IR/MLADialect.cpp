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
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mla;

#include "mla/IR/MLADialect.cpp.inc"
#include "mla/IR/MLAEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mla/IR/MLAAttrs.cpp.inc"

namespace {

struct MLADialectVersion : public DialectVersion {
  explicit MLADialectVersion(uint64_t version) : version(version) {}
  uint64_t version;
};

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

} // namespace

LogicalResult RopeAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               RopeStyle, int64_t headDim, bool) {
  if (headDim < 0 || headDim % 2 != 0)
    return emitError() << "head_dim: expected an even number of columns, got "
                       << headDim;
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
