//===- RandomInputs.h - Inputs that nobody gave -----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_MLA_RUN_RANDOMINPUTS_H
#define MLA_TOOLS_MLA_RUN_RANDOMINPUTS_H

#include "Symbols.h"
#include "io/Buffer.h"

namespace mla::run {

/// Sizes for the symbols that have none: one sequence in generation with four
/// pages.
void setRandomDefaults(Symbols &symbols, const io::ManifestEntry &entry);

/// The content of argument `arg`. Numbers are normally distributed; weights are
/// scaled so that a product keeps that variance. Metadata, known by its name,
/// is consistent: the B sequences share the T tokens evenly and have `kv` keys
/// each (all that their K pages hold, where that symbol has no value), pages
/// are a permutation, and the table holds rotations of base 10000. Rows of a
/// block-scaled cache hold such numbers in all their parts. The same seed gives
/// the same content.
io::Result<io::Buffer>
makeRandomInput(const io::ManifestArg &arg, uint32_t dtype,
                const std::vector<int64_t> &shape, const Symbols &symbols,
                const io::ManifestEntry &entry, uint64_t seed);

} // namespace mla::run

#endif // MLA_TOOLS_MLA_RUN_RANDOMINPUTS_H
