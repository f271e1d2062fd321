//===- RuntimeTableTest.cpp - The dialect, the table and the C ABI agree --===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Conversion/MLAToRuntime/RuntimeTable.h"
#include "AbiOffsets.h"
#include "mla/IR/MLAOps.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

using namespace mla;

namespace {

/// What ops.def says of a tensor, for comparison with the dialect's operand.
struct TableTensor {
  std::string dims;
  bool isRequired;
  bool isOut;
};

/// By "op.field"; a cache under its own name, in one piece.
std::map<std::string, TableTensor> getTableTensors() {
  const bool REQUIRED = true, OPTIONAL = false, IN = false, OUT = true;
  std::map<std::string, TableTensor> tensors;
#define MLA_TENSOR(op, field, role, presence, dtypes, dims, since, doc)        \
  tensors[#op "." #field] = {dims, presence, role};
#define MLA_CACHE(op, field, role, presence, since, doc)                       \
  tensors[#op "." #field] = {"pages,P,L+R", presence, role};
#include "mla_runtime/ops.def"
  return tensors;
}

/// Calls `visit(mnemonic, specs)` for every operation of the dialect.
template <typename... OpTys, typename Visitor> void visitAll(Visitor visit) {
  (visit(OpTys::getOperationName().drop_front(strlen("mla.")),
         OpTys::getOperandSpecs()),
   ...);
}

template <typename Visitor> void visitDialect(Visitor visit) {
  visitAll<
#define GET_OP_LIST
#include "mla/IR/MLAOps.cpp.inc"
      >(visit);
}

TEST(RuntimeTable, EveryOperandHasTheFieldOfItsName) {
  std::map<std::string, TableTensor> tensors = getTableTensors();
  unsigned compared = 0;
  visitDialect([&](llvm::StringRef mnemonic,
                   llvm::ArrayRef<OperandSpec> specs) {
    if (mnemonic == "attention") {
      EXPECT_EQ(lookupRuntimeOp(mnemonic), nullptr) << "never lowered itself";
      return;
    }
    const RuntimeOp *op = lookupRuntimeOp(mnemonic);
    ASSERT_NE(op, nullptr) << mnemonic.str();
    for (const OperandSpec &spec : specs) {
      std::string name = (mnemonic + "." + spec.name).str();
      SCOPED_TRACE(name);
      EXPECT_TRUE(llvm::any_of(op->fields, [&](const RuntimeField &field) {
        return field.source == spec.name;
      }));
      if (spec.dims == "-")
        continue;
      auto tensor = tensors.find(name);
      ASSERT_NE(tensor, tensors.end());
      EXPECT_EQ(tensor->second.dims, spec.dims.str());
      EXPECT_EQ(tensor->second.isRequired, !spec.isOptional);
      EXPECT_EQ(tensor->second.isOut, spec.isInit);
      tensors.erase(tensor);
      ++compared;
    }
  });
  EXPECT_GT(compared, 60u);
  // copy and fill are memref.copy and linalg.fill in the IR.
  for (const auto &[name, tensor] : tensors)
    EXPECT_TRUE(name == "copy.src" || name == "copy.dst" || name == "fill.dst")
        << name << " has no operand";
}

TEST(RuntimeTable, OffsetsAreThoseOfC11) {
  std::map<std::string, uint64_t> offsets;
  for (const AbiOffset *entry = abiOffsetsInC; entry->what; ++entry)
    offsets[entry->what] = entry->value;
  for (const RuntimeOp &op : getRuntimeOps()) {
    EXPECT_EQ(offsets[op.name.str()], op.paramsSize) << op.name.str();
    for (const RuntimeField &field : op.fields) {
      std::string name = (op.name + "." + field.name).str();
      ASSERT_TRUE(offsets.count(name)) << name;
      EXPECT_EQ(offsets[name], field.offset) << name;
    }
  }
}

} // namespace
