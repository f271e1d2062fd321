//===- BufferCallees.h - Buffers that calls pass on -------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_BUFFERCALLEES_H
#define LIB_TRANSFORMS_BUFFERCALLEES_H

#include "mla/Transforms/Entries.h"

namespace mla {

/// Makes arguments of private functions memrefs where every call passes the
/// tensor of a memref that nobody writes, or that nobody else uses. In the
/// latter case the results that take that buffer are materialized in the
/// callee.
void bufferCallees(mlir::ModuleOp module, DestinationFlow &flow);

} // namespace mla

#endif // LIB_TRANSFORMS_BUFFERCALLEES_H
