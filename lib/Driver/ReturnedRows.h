//===- ReturnedRows.h - Rows that an idle rope would have returned -*- C++ -*-//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_RETURNEDROWS_H
#define LIB_DRIVER_RETURNEDROWS_H

#include "mlir/IR/BuiltinOps.h"

namespace mla {

/// Of a rope that rotates nothing canonicalization leaves the input. Where an
/// entry returns its result, the caller finds that in the rope's destination:
/// a copy takes the rope's place, unless the destination is stated to be read
/// only.
void copyReturnedRows(mlir::ModuleOp module);

} // namespace mla

#endif // LIB_DRIVER_RETURNEDROWS_H
