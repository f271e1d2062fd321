//===- Template.h - Texts with generated parts ------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CORE_DOC_TEMPLATE_H
#define MLA_RUNTIME_CORE_DOC_TEMPLATE_H

#include <map>
#include <string>

namespace mla::doc {

/// The body of a generator's main: prints the file that is its one argument,
/// with each mark (a key of `parts`, which occurs in it once) replaced. Returns
/// the exit status.
int printTemplate(int argc, char **argv, const std::string &tool,
                  const std::map<std::string, std::string> &parts);

/// In lower case.
std::string lower(std::string text);

/// The element types that a name of ops.def stands for: "f32, f16, bf16".
std::string listDtypes(const std::string &name);

} // namespace mla::doc

#endif // MLA_RUNTIME_CORE_DOC_TEMPLATE_H
