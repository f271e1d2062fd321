//===- BackendRegistry.h - Finds a backend by its name ----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_BACKENDREGISTRY_H
#define MLA_RUNTIME_CORE_BACKENDREGISTRY_H

#include "core/Context.h"

/// "cpu" is built in; "cuda" is loaded from its own library on first use. On an
/// error the calling thread's text says why.
mla_status findBackend(const char *name, const MlaBackend *&backend);

#endif // MLA_RUNTIME_CORE_BACKENDREGISTRY_H
