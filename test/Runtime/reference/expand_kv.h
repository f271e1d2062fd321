//===- expand_kv.h - Keys and values rebuilt from latents -----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_EXPAND_KV_H
#define MLA_TEST_RUNTIME_REFERENCE_EXPAND_KV_H

#include "Array.h"

namespace mla {
namespace reference {

/// cKv [S,L], wKvB [H,N+V,L] -> [S,H,N+V]: sum over l of w[h,i,l] c[s,l]
/// (DeepSeek-V2, arXiv:2405.04434, eq. 10 and 11).
Array expandKv(const Array &cKv, const Array &wKvB);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_EXPAND_KV_H
