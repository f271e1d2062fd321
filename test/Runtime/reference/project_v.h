//===- project_v.h - W_UV times the latent output -------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_PROJECT_V_H
#define MLA_TEST_RUNTIME_REFERENCE_PROJECT_V_H

#include "Array.h"

namespace mla {
namespace reference {

/// oLatent [T,H,L], wUv [H,V,L] -> [T,H,V]: sum over l of w[h,v,l] o[t,h,l]
/// (DeepSeek-V2, arXiv:2405.04434, section 2.1.2).
Array projectV(const Array &oLatent, const Array &wUv);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_PROJECT_V_H
