//===- CacheColumns.h - What a field of a call shows of a cache -*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_MLATORUNTIME_CACHECOLUMNS_H
#define LIB_CONVERSION_MLATORUNTIME_CACHECOLUMNS_H

#include "mla/Conversion/MLAToRuntime/RuntimeTable.h"
#include "mla/IR/MLAOps.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mla {

/// Some columns of a buffer's rows, seen as elements of a type.
struct Columns {
  mlir::Type element;
  int64_t byteOffset; ///< from a row's start
  int64_t width;      ///< in elements
};

int64_t getElementBytes(mlir::Type element);

/// The part of `cache`, an operand of `op`, that a field of a CACHE's three
/// kinds shows; nullopt when the cache has no such part.
llvm::FailureOr<std::optional<Columns>> getCacheColumns(MLAOpInterface op,
                                                        mlir::MemRefType cache,
                                                        RuntimeFieldKind kind);

} // namespace mla

#endif // LIB_CONVERSION_MLATORUNTIME_CACHECOLUMNS_H
