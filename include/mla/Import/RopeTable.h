//===- RopeTable.h - The rotary table of a model ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IMPORT_ROPETABLE_H
#define MLA_IMPORT_ROPETABLE_H

#include "mla/Import/AttentionCoreSpec.h"

#include <cstdint>
#include <vector>

namespace mla {

/// YaRN's correction of the logits for a context extended by `factor`:
/// 0.1 * mscale * ln(factor) + 1, or 1 for a factor of at most 1
/// (arXiv:2309.00071, equation 22).
double getYarnMscale(double factor, double mscale);

/// Angles a position for each of the `width`/2 column pairs, computed in f32
/// step by step as the frameworks do: at position 10^5 an angle rounded
/// otherwise is another angle. `numPositions` picks LongRoPE's factors.
std::vector<float> getRopeFrequencies(const RopeParameters &rope, int64_t width,
                                      int64_t numPositions);

/// The factor of every cosine and sine.
double getRopeAttentionFactor(const RopeParameters &rope, int64_t numPositions);

/// The table [numPositions, R] f32, row-major: cosines in the first R/2
/// columns, sines in the rest. `spec` has a live rope.
std::vector<float> computeRopeTable(const AttentionCoreSpec &spec,
                                    int64_t numPositions);

} // namespace mla

#endif // MLA_IMPORT_ROPETABLE_H
