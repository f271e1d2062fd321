//===- VersionPrinter.h - What --version prints -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_VERSIONPRINTER_H
#define MLA_TOOLS_VERSIONPRINTER_H

#include "mla_runtime/runtime.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

/// Makes --version of a tool that links LLVM print the versions of the project,
/// of LLVM and of the ABI, and the backends that were built with it.
inline void setVersionPrinter(llvm::StringRef tool) {
  llvm::cl::SetVersionPrinter([tool](llvm::raw_ostream &os) {
    os << tool << " " << MLA_VERSION_STRING << " (LLVM " << LLVM_VERSION_STRING
       << ", ABI " << MLA_ABI_VERSION << ", backends cpu"
#ifdef MLA_HAVE_CUDA
       << ", cuda"
#endif
       << ")\n";
  });
}

#endif // MLA_TOOLS_VERSIONPRINTER_H
