//===- Comparison.h - How far outputs are from the reference ----*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_COMPARISON_H
#define MLA_TOOLS_PARITY_COMPARISON_H

#include "Reference.h"

#include <vector>

namespace mla::parity {

/// ‖out − ref‖ / ‖ref‖ over all outputs, each [tokens, heads, V] of one
/// sequence; `expected` is [S, H, V] of the golden's heads, which repeat.
double getError(const std::vector<HostTensor> &outputs, const Golden &golden,
                const std::vector<double> &expected);

/// The same with the nearest of the right outputs as ref, of each token and
/// head: Reference::attendRightly.
double getErrorFromNearest(const std::vector<HostTensor> &outputs,
                           const Golden &golden, const Reference &reference);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_COMPARISON_H
