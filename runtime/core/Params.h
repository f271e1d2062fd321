//===- Params.h - Reading a caller's parameter struct -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_PARAMS_H
#define MLA_RUNTIME_CORE_PARAMS_H

#include "core/Context.h"
#include "core/OpTable.h"

/// Copies a caller's parameters of whatever size into `out`, a zeroed struct of
/// this runtime's size, and sets its struct_size. Refuses what it doesn't know.
bool readParams(mla_context &ctx, const OpSpec &spec, const void *params,
                void *out);

#endif // MLA_RUNTIME_CORE_PARAMS_H
