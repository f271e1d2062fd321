//===- Process.h - The project's other tools as child processes -*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_PROCESS_H
#define MLA_TOOLS_PARITY_PROCESS_H

#include "io/Result.h"

#include <string>
#include <vector>

namespace mla::parity {

/// Runs the tool of this name that is in the directory of the running one. What
/// it prints goes where ours goes. Errors are one sentence: no such tool, or
/// how it ended.
io::Status runTool(const std::string &name,
                   const std::vector<std::string> &arguments);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_PROCESS_H
