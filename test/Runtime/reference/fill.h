//===- fill.h - Fills -----------------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_FILL_H
#define MLA_TEST_RUNTIME_REFERENCE_FILL_H

#include "Array.h"

namespace mla {
namespace reference {

/// dst[i] = value, before its conversion to the destination's type.
void fill(double value, Array &dst);
/// The integer in [lowest, highest] that `value` is stored as: rounded to the
/// nearest, ties to even.
double toInteger(double value, double lowest, double highest);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_FILL_H
