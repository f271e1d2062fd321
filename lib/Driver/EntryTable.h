//===- EntryTable.h - What a module's entries ask of their callers *- C++ -*-=//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_LIB_DRIVER_ENTRYTABLE_H
#define MLA_LIB_DRIVER_ENTRYTABLE_H

#include "mla/Driver/Manifest.h"

namespace mla {

/// Adds the constant mla_module_entries to a module of the llvm dialect: an
/// mla_entry_spec for each entry of `manifest`, and an empty one after the
/// last. Expects the entries' tables of arguments, which the conversion to the
/// runtime made.
void addEntryTable(mlir::ModuleOp module, const Manifest &manifest);

} // namespace mla

#endif // MLA_LIB_DRIVER_ENTRYTABLE_H
