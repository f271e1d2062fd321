//===- Linker.h - From an object to a shared one ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_DRIVER_LINKER_H
#define MLA_DRIVER_LINKER_H

#include "llvm/Support/Error.h"

#include <string>

namespace mla {

/// Links an object file's bytes to the bytes of a shared object with the
/// system's C compiler driver: the first of cc, gcc and clang on the PATH.
/// Undefined symbols stay undefined: the runtime's are found when the module is
/// loaded.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

} // namespace mla

#endif // MLA_DRIVER_LINKER_H
