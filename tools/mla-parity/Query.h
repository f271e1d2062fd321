//===- Query.h - The queries of a golden case in float64 --------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_QUERY_H
#define MLA_TOOLS_PARITY_QUERY_H

#include "Golden.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace mla::parity {

/// The R columns that belong to `token`, rotated as the golden says.
std::vector<double> rotate(const Golden &golden, const double *columns,
                           int64_t token);

/// The largest magnitude; 0 of none.
double getLargest(const std::vector<double> &values);

/// The scale with which `largest`, times some headroom, is the largest number
/// of fp8.
float getScale(double largest, double headroom);

/// Queries as attention over the cache takes them: [S, H, L+R], absorbed and
/// rotated.
class Query {
public:
  /// Of inputs rounded to `dtype`; `weight` is w_kv_b [H, N+V, L].
  Query(const Golden &golden, uint32_t dtype,
        const std::vector<double> &weight);

  /// Makes each element what fp8 with a scale makes of it, and gives the scale.
  float quantize();

  /// [L+R].
  const double *getRow(int64_t token, int64_t head) const;

  /// The rows that a backend may have instead of getRow(): it sums in f32, so
  /// where an element's exact value is within the error of that sum of the
  /// middle between two codes, either code is right. All combinations of up to
  /// four such elements, those whose codes are farthest apart. The first one is
  /// getRow().
  std::vector<std::vector<double>> getRightRows(int64_t token,
                                                int64_t head) const;

private:
  struct NearTie {
    int64_t column;
    double other; ///< what the element is with the other code
  };

  void addRow(const double *q, const double *keys, int64_t token);
  double decode(double value, int64_t column, float scale) const;

  const Golden &golden;
  uint32_t dtype;
  std::vector<double> values;
  std::vector<double> slack; ///< what sums in f32 may be off by
  std::map<std::pair<int64_t, int64_t>, std::vector<NearTie>>
      nearTies; ///< of a token and a head
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_QUERY_H
