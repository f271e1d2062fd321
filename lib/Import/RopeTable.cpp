//===- RopeTable.cpp - The rotary table of a model ------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/RopeTable.h"

#include <algorithm>
#include <cmath>

namespace mla {

double getYarnMscale(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

/// The column pair that turns `rotations` times over the original context
/// (arXiv:2309.00071, section 3.2, solved for the pair's index).
static double findYarnColumn(const RopeParameters &rope, int64_t width,
                             double rotations) {
  double wavelength =
      static_cast<double>(rope.originalMaxPositions) / (rotations * 2 * M_PI);
  return static_cast<double>(width) * std::log(wavelength) /
         (2 * std::log(rope.theta));
}

static void applyYarn(const RopeParameters &rope, int64_t width,
                      std::vector<float> &frequencies,
                      const std::vector<float> &periods) {
  double low = findYarnColumn(rope, width, rope.betaFast);
  double high = findYarnColumn(rope, width, rope.betaSlow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(width - 1));
  if (low == high)
    high += 0.001; // a step is steep, not vertical

  auto span = static_cast<float>(high - low);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    float ramp = (static_cast<float>(i) - static_cast<float>(low)) / span;
    float kept = 1.0f - std::clamp(ramp, 0.0f, 1.0f);
    float stretched = 1.0f / (static_cast<float>(rope.factor) * periods[i]);
    frequencies[i] = stretched * (1.0f - kept) + frequencies[i] * kept;
  }
}

std::vector<float> getRopeFrequencies(const RopeParameters &rope, int64_t width,
                                      int64_t numPositions) {
  std::vector<float> frequencies, periods;
  for (int64_t i = 0; i < width / 2; ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
    // Through f64, so that the power is rounded once.
    auto period =
        static_cast<float>(std::pow(rope.theta, static_cast<double>(exponent)));
    if (rope.kind == RopeScalingKind::LongRoPE) {
      bool extended = numPositions > rope.originalMaxPositions;
      const std::vector<double> &factors =
          extended ? rope.longFactor : rope.shortFactor;
      period *= static_cast<float>(factors[i]);
    }
    periods.push_back(period);
    frequencies.push_back(1.0f / period);
  }
  if (rope.kind == RopeScalingKind::Linear)
    for (float &frequency : frequencies)
      frequency /= static_cast<float>(rope.factor);
  if (rope.kind == RopeScalingKind::YaRN)
    applyYarn(rope, width, frequencies, periods);
  return frequencies;
}

double getRopeAttentionFactor(const RopeParameters &rope,
                              int64_t numPositions) {
  if (rope.attentionFactor)
    return *rope.attentionFactor;
  switch (rope.kind) {
  case RopeScalingKind::Default:
  case RopeScalingKind::Linear:
    return 1;
  case RopeScalingKind::YaRN:
    // DeepSeek-V2 moves the correction from the table to the softmax scale, in
    // whole or in part.
    if (rope.mscale && rope.mscaleAllDim)
      return getYarnMscale(rope.factor, rope.mscale) /
             getYarnMscale(rope.factor, rope.mscaleAllDim);
    return getYarnMscale(rope.factor, 1);
  case RopeScalingKind::LongRoPE:
    if (rope.factor <= 1 || numPositions <= 0)
      return 1;
    return std::sqrt(
        1 + std::log(rope.factor) /
                std::log(static_cast<double>(rope.originalMaxPositions)));
  }
  return 1;
}

std::vector<float> computeRopeTable(const AttentionCoreSpec &spec,
                                    int64_t numPositions) {
  int64_t width = spec.qkRopeHeadDim, half = width / 2;
  std::vector<float> frequencies =
      getRopeFrequencies(spec.rope, width, numPositions);
  auto factor =
      static_cast<float>(getRopeAttentionFactor(spec.rope, numPositions));

  std::vector<float> table(static_cast<size_t>(numPositions * width));
  for (int64_t row = 0; row < numPositions; ++row)
    for (int64_t i = 0; i < half; ++i) {
      float angle = static_cast<float>(row) * frequencies[i];
      // The functions themselves in f64: f32 libraries differ in the last bit.
      auto cosine = static_cast<float>(std::cos(static_cast<double>(angle)));
      auto sine = static_cast<float>(std::sin(static_cast<double>(angle)));
      table[row * width + i] = cosine * factor;
      table[row * width + half + i] = sine * factor;
    }
  return table;
}

} // namespace mla
