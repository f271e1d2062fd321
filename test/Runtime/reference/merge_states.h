//===- merge_states.h - Partial attention states added up -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_MERGE_STATES_H
#define MLA_TEST_RUNTIME_REFERENCE_MERGE_STATES_H

#include "Array.h"

namespace mla {
namespace reference {

/// Adds the states o [S,T,H,D], lse [S,T,H] to `acc`: the state (o, lse) stands
/// for the pair (exp(lse) o, exp(lse)).
void mergeStates(const State &states, State &acc);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_MERGE_STATES_H
