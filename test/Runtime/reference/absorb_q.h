//===- absorb_q.h - The query times W_UK ----------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_ABSORB_Q_H
#define MLA_TEST_RUNTIME_REFERENCE_ABSORB_Q_H

#include "Array.h"

namespace mla {
namespace reference {

/// qNope [T,H,N], wUk [H,N,L] -> [T,H,L]: sum over n of q[t,h,n] w[h,n,l]
/// (DeepSeek-V2, arXiv:2405.04434, section 2.1.2).
Array absorbQ(const Array &qNope, const Array &wUk);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_ABSORB_Q_H
