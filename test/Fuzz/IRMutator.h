//===- IRMutator.h - Small changes to the text of operations ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_IRMUTATOR_H
#define MLA_TEST_FUZZ_IRMUTATOR_H

#include <cstdint>
#include <string>

namespace mla {
namespace fuzz {

/// Changes a size, an element type, a keyword, an operand or an attribute. Most
/// results still parse, and many still verify.
std::string mutateIR(std::string text, uint32_t seed);

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_IRMUTATOR_H
