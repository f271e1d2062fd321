//===- E4M3.h - The numbers of f8E4M3FN -------------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Sign, 4 bits of exponent with bias 7, 3 bits of fraction; no infinities, NaN
// is 0x7f and 0xff (arXiv:2209.05433, section 3). From the definition and apart
// from the runtime's conversion, which it is compared with.

#ifndef MLA_TOOLS_PARITY_E4M3_H
#define MLA_TOOLS_PARITY_E4M3_H

#include <cstdint>

namespace mla::parity {

constexpr double kLargestE4M3 = 448;

double decodeE4M3(uint8_t code);
/// The nearest number, ties to even; beyond the largest the largest.
uint8_t encodeE4M3(double value);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_E4M3_H
