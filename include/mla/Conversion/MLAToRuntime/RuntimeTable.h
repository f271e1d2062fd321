//===- RuntimeTable.h - The runtime as the compiler sees it -----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_CONVERSION_MLATORUNTIME_RUNTIMETABLE_H
#define MLA_CONVERSION_MLATORUNTIME_RUNTIMETABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mla {

/// How a field of a parameter struct is filled.
enum class RuntimeFieldKind {
  Tensor,      ///< const mla_tensor *
  CacheLatent, ///< const mla_tensor *: the first L columns of a cache
  CachePe,     ///< const mla_tensor *: R more columns; null when there are none
  CacheScales, ///< const mla_tensor *: of packed rows alone, null otherwise
  I64,
  F64,
  String ///< const char *
};

/// One field of a parameter struct, from ops.def.
struct RuntimeField {
  llvm::StringLiteral name;
  /// The operand or attribute that it comes from: the name without a cache's
  /// suffix.
  llvm::StringLiteral source;
  RuntimeFieldKind kind;
  bool isRequired;
  /// Bytes from the start of the struct, as this compiler's host lays it out.
  uint64_t offset;
};

/// One function of the runtime, mla_NAME, and its parameter struct.
struct RuntimeOp {
  llvm::StringLiteral name;
  uint64_t paramsSize;
  llvm::ArrayRef<RuntimeField> fields;
};

/// All of them, in the table's order.
llvm::ArrayRef<RuntimeOp> getRuntimeOps();

/// The operation called `name` ("append"), null when there is none.
const RuntimeOp *lookupRuntimeOp(llvm::StringRef name);

} // namespace mla

#endif // MLA_CONVERSION_MLATORUNTIME_RUNTIMETABLE_H
