//===- Quantize.h - fp8 and the spacing of numbers --------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// f8E4M3FN: sign, 4 bits of exponent with bias 7, 3 bits of fraction; no
// infinities, NaN is 0x7f and 0xff (arXiv:2209.05433, section 3). From the
// definition and apart from the runtime's conversion, which it is compared
// with.

#ifndef MLA_TOOLS_PARITY_QUANTIZE_H
#define MLA_TOOLS_PARITY_QUANTIZE_H

#include <cstdint>

namespace mla::parity {

constexpr double kLargestE4M3 = 448;

double decodeE4M3(uint8_t code);
/// The nearest number, ties to even; beyond the largest the largest.
uint8_t encodeE4M3(double value);

/// sat_e4m3(x * (1/scale)), the products in f32.
uint8_t quantize(double value, float scale);
/// The scale of a block whose largest magnitude is `largest`:
/// 2^ceil(log2(largest/448)), 1 for zeros.
float getBlockScale(double largest);

/// Distance of the numbers of a type around `value`, which is in its range.
double getSpacing(uint32_t dtype, double value);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_QUANTIZE_H
