//===- Blocks.h - What the memory of operands repeats -----------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of data that are made once. Each stays as it is until the program
// ends, so that a device may keep a copy of its own.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_BLOCKS_H
#define MLA_BENCH_BLOCKS_H

#include <cstdint>
#include <vector>

namespace mla::bench {

/// Numbers of a float type, the same in every run: normally distributed, of
/// standard deviation `spread`.
const std::vector<char> &randomBlock(uint32_t dtype, double spread);
/// Rows [latent | scales | pe] of a block-scaled cache: numbers as above, of
/// scale 1.
const std::vector<char> &packedBlock(int64_t latent, uint32_t peType,
                                     int64_t pe, double spread);
/// A whole rotary table [rows, width], f32, of frequencies from 1 down to 1e-4.
const std::vector<char> &tableBlock(int64_t rows, int64_t width);
const std::vector<char> &zeroBlock();

} // namespace mla::bench

#endif // MLA_BENCH_BLOCKS_H
