//===- copy.h - Copies ----------------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_COPY_H
#define MLA_TEST_RUNTIME_REFERENCE_COPY_H

#include "Array.h"

namespace mla {
namespace reference {

/// dst[i] = src[i].
void copy(const Array &src, Array &dst);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_COPY_H
