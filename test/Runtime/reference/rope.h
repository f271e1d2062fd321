//===- rope.h - Rotary position embedding ---------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_ROPE_H
#define MLA_TEST_RUNTIME_REFERENCE_ROPE_H

#include "Array.h"

namespace mla {
namespace reference {

enum class RopeStyle { None, Interleaved, Half };

/// Rotates `pair` = (a, b) by the angle whose cosine and sine are given:
/// (a cos - b sin, b cos + a sin), RoFormer, arXiv:2104.09864, eq. 13.
/// x [T,...,R], cosSin [max_pos,R] (cosines first), positions [T].
Array rope(const Array &x, const Array &cosSin, const Array &positions,
           RopeStyle style);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_ROPE_H
