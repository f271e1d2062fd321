//===- AttentionCoreSpec.h - What a model fixes about its core --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IMPORT_ATTENTIONCORESPEC_H
#define MLA_IMPORT_ATTENTIONCORESPEC_H

#include "mla/IR/MLADialect.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mla {

/// How a rotary table departs from theta^(-2i/R).
enum class RopeScalingKind {
  Default, ///< it doesn't
  Linear,  ///< positions divided by a factor
  YaRN,    ///< frequencies by parts (arXiv:2309.00071, section 3.2)
  LongRoPE ///< a factor for each frequency (arXiv:2402.13753, section 3)
};

/// The rotary table's parameters, under the names of Hugging Face configs.
struct RopeParameters {
  RopeScalingKind kind = RopeScalingKind::Default;
  double theta = 0;
  double factor = 1;
  double betaFast = 32,
         betaSlow = 1; // YaRN: rotations over the original context
  double mscale = 0, mscaleAllDim = 0; // YaRN; 0: absent
  bool truncate = true; // YaRN: ramp bounds rounded to whole columns
  std::optional<double> attentionFactor; // absent: from the kind's formula
  /// Context that the model was trained for before it was extended; 0: unknown.
  int64_t originalMaxPositions = 0;
  /// LongRoPE: divisors of the R/2 frequencies, within the original context and
  /// beyond it.
  std::vector<double> shortFactor, longFactor;
};

/// Everything about a model that its attention core depends on. Sizes are named
/// as in the dialect's description.
struct AttentionCoreSpec {
  std::string model;         ///< model_type of the config
  int64_t numHeads = 0;      ///< H
  int64_t kvLoraRank = 0;    ///< L
  int64_t qkNopeHeadDim = 0; ///< N
  int64_t qkRopeHeadDim = 0; ///< R, may be 0
  int64_t vHeadDim = 0;      ///< V
  /// Layers with latent attention, without those that predict further tokens;
  /// 0: unknown.
  int64_t numLayers = 0;

  /// The pairing that the model states; absent where R = 0, or where nothing is
  /// known but that nothing is rotated.
  std::optional<RopeStyle> ropeStyle;
  /// Whether the model rotates its pe columns.
  bool rotated = false;
  /// Why not; empty when it does.
  std::string unrotatedReason;
  /// Of the table; meaningful when `rotated` and read from a config.
  RopeParameters rope;
  /// Positions the model was made for; 0: unknown.
  int64_t maxPositions = 0;

  /// (N+R)^-0.5, YaRN's mscale squared in it.
  double softmaxScale = 0;
  /// Keys that each query may see, at most; 0: all.
  int64_t topk = 0;
  /// Whether each head has an attention sink.
  bool sinks = false;

  /// What the model does just outside the core, in sentences: a caller who does
  /// not know gets wrong numbers.
  std::vector<std::string> notes;

  int64_t getQueryWidth() const { return qkNopeHeadDim + qkRopeHeadDim; }
  int64_t getCacheWidth() const { return kvLoraRank + qkRopeHeadDim; }
  bool hasLiveRope() const { return rotated && qkRopeHeadDim > 0; }
};

} // namespace mla

#endif // MLA_IMPORT_ATTENTIONCORESPEC_H
