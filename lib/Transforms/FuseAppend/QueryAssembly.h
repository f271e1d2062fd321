//===- QueryAssembly.h - Queries assembled by other dialects ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_FUSEAPPEND_QUERYASSEMBLY_H
#define LIB_TRANSFORMS_FUSEAPPEND_QUERYASSEMBLY_H

#include "mla/IR/MLAOps.h"
#include <functional>

namespace mla::detail {

/// A query that a `tensor.insert_slice` or `tensor.concat` assembled, as the
/// append that does the same.
struct QueryAssembly {
  AppendOp append;
  /// Copies that the other operation becomes: rows that are made by a
  /// destination-style operation are written where they belong.
  unsigned copies;
  /// Puts the other operation back, in the append's place.
  std::function<void()> restore;
};

/// Replaces `op` by an append where it assembles a query: it puts rows [T,H,R]
/// into the last columns of a tensor [T,H,D+R], and either a live rope rotates
/// the rows or an mla operation takes the result as its query.
std::optional<QueryAssembly> recognizeQueryAssembly(mlir::Operation *op);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_FUSEAPPEND_QUERYASSEMBLY_H
