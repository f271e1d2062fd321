//===- Trace.h - MLA_TRACE=1: one line a call -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_TRACE_H
#define MLA_RUNTIME_CORE_TRACE_H

#include "core/Context.h"
#include "core/OpTable.h"

/// Prints a checked call to stderr: op, phase, shape and dtype of every present
/// argument, values that are set, and for ops that rotate, what is rotated or
/// why nothing is. `width` is R.
void traceCall(const mla_context &ctx, const OpSpec &spec, const void *params,
               int64_t width);

#endif // MLA_RUNTIME_CORE_TRACE_H
