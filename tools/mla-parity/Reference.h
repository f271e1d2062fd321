//===- Reference.h - The attention of a golden case in float64 --*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What a cache's rows should hold, and what attention over such rows gives:
// from the formulas of docs/specification.md, in float64, quantized where the
// runtime quantizes. Over rows that aren't quantized it is the recorded output.

#ifndef MLA_TOOLS_PARITY_REFERENCE_H
#define MLA_TOOLS_PARITY_REFERENCE_H

#include "CacheLayout.h"
#include "Golden.h"
#include "HostTensor.h"
#include "Query.h"

#include <string>
#include <vector>

namespace mla::parity {

/// Scales of the quantized parts; no two are equal, so that one in another's
/// place shows.
struct Scales {
  float query = 1, latent = 1, pe = 1;
};

class Reference {
public:
  /// Of the golden's inputs, rounded to `dtype`, and its own number of heads.
  Reference(const Golden &golden, uint32_t dtype, CacheFormat format);

  const CacheLayout &getLayout() const { return layout; }
  const Scales &getScales() const { return scales; }

  /// Empty when `row` is what token `token` becomes, else what was expected.
  /// Whatever isn't rotated is compared bit for bit; what is, has been rotated
  /// in f32 and may be either neighbour of a number half way between.
  std::string checkRow(int64_t token, const uint8_t *row) const;

  /// The output [S, H, V] over all tokens' rows.
  const std::vector<double> &attend(const std::vector<uint8_t> &rows);

  /// The outputs [V] of one token and head that are right over the rows that
  /// attend() was asked last: that of attend() first, then those of the query's
  /// other right rows.
  std::vector<std::vector<double>> attendRightly(int64_t token,
                                                 int64_t head) const;

  /// ‖out - recorded‖ / ‖recorded‖ of the formulas alone, in f32 inputs and
  /// nothing quantized.
  static double getSelfError(const Golden &golden);

private:
  std::vector<uint8_t> quantizeLatent(int64_t token) const;
  std::string checkPe(int64_t token, const uint8_t *row) const;
  /// [L+R] as attention sees it.
  std::vector<double> decodeRow(const uint8_t *row) const;
  std::vector<double> attendTo(const std::vector<double> &keys) const;
  std::vector<double> attendTo(const std::vector<double> &keys, int64_t token,
                               int64_t head, const double *q) const;

  const Golden &golden;
  CacheLayout layout;
  Scales scales;
  HostTensor latentInput, peInput; ///< in the activations' type
  std::vector<double> latents, pe; ///< [S, L]; [S, R], rotated
  std::vector<double> weight;      ///< [H, N+V, L]
  Query query;
  /// What attend() was asked last, and its answer.
  std::vector<uint8_t> lastRows;
  std::vector<double> lastKeys; ///< [S, L+R], of lastRows
  std::vector<double> lastOutput;
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_REFERENCE_H
