//===- ExactRows.h - Inputs whose results are known bit for bit -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Inputs and tables of multiples of small powers of two: a rotation of them is
// exact in f32, so that every byte of what it is rounded to is known.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_EXACTROWS_H
#define MLA_TEST_RUNTIME_OPS_EXACTROWS_H

#include "TestTensor.h"

namespace mla {
namespace test {

/// Rows of one exponent each: multiples of 1/64 below 2, times 2^k.
inline void fillExactRows(Random &random, const TestTensor &tensor) {
  int power = 0;
  tensor.forEach([&](const Shape &index) {
    if (index.back() == 0)
      power = static_cast<int>(random.integer(-6, 6));
    auto steps = static_cast<double>(random.integer(-127, 127));
    tensor.set(index, std::ldexp(steps, power - 6));
  });
}

/// Cosines and sines that are multiples of 1/8; no angle has most of them.
inline void fillExactTable(Random &random, const TestTensor &table) {
  table.forEach([&](const Shape &index) {
    table.set(index, static_cast<double>(random.integer(-8, 8)) / 8);
  });
}

/// Any bits: numbers, infinities, NaNs of every kind.
inline void fillBits(Random &random, const TestTensor &tensor) {
  tensor.forEach([&](const Shape &index) {
    int64_t bits = random.integer(0, INT64_MAX - 1);
    std::memcpy(tensor.address(index), &bits,
                mla_dtype_bits(tensor.dtype()) / 8);
  });
}

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_EXACTROWS_H
