//===- quantize.h - Values to fp8 and back --------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// docs/numerics.md, "fp8". The two factors are f32 and so are the products,
// where a kernel's are; everything else is exact.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_REFERENCE_QUANTIZE_H
#define MLA_TEST_RUNTIME_REFERENCE_QUANTIZE_H

#include "Array.h"

namespace mla {
namespace reference {

/// Columns of a row that share a scale.
const int64_t scaleBlock = 128;

/// sat_e4m3(x * (1 / scale)), as a number.
double quantize(double x, float scale);
/// Every element, with one scale; as it is where that is 0.
Array quantize(Array x, float scale);
/// q * scale.
double dequantize(double q, float scale);
/// Every element, with one scale; as it is where that is 0.
Array dequantize(Array q, float scale);
/// Row by row, with the scales [...,C/128] of blocks of columns.
Array dequantizeBlocks(Array q, const Array &scales);

/// 2^ceil(log2(amax / 448)) of the finite among `count` values, at least
/// 2^-126; 1 where amax = 0.
float blockScale(const double *values, int64_t count);

} // namespace reference
} // namespace mla

#endif // MLA_TEST_RUNTIME_REFERENCE_QUANTIZE_H
