//===- Comparison.cpp - How far outputs are from the reference ------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Comparison.h"

#include <cmath>
#include <functional>
#include <map>

namespace mla::parity {
namespace {

/// What a row of an output, of a token and one of the golden's heads, is
/// compared with.
using GetExpected =
    std::function<const double *(int64_t, int64_t, const double *)>;

double getSquaredDistance(const double *a, const double *b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

double compare(const std::vector<HostTensor> &outputs, const Golden &golden,
               const GetExpected &getExpected) {
  double differences = 0, references = 0; // sums of squares
  const std::vector<double> zeros(static_cast<size_t>(golden.value), 0.0);
  for (const HostTensor &output : outputs) {
    std::vector<double> values = output.toDoubles();
    int64_t heads = output.shape[1];
    for (int64_t i = 0; i < output.shape[0] * heads; ++i) {
      const double *row = values.data() + i * golden.value;
      const double *expected =
          getExpected(i / heads, i % heads % golden.heads, row);
      differences += getSquaredDistance(row, expected, golden.value);
      references += getSquaredDistance(expected, zeros.data(), golden.value);
    }
  }
  return std::sqrt(differences / references);
}

} // namespace

double getError(const std::vector<HostTensor> &outputs, const Golden &golden,
                const std::vector<double> &expected) {
  return compare(
      outputs, golden, [&](int64_t token, int64_t head, const double *) {
        return expected.data() + (token * golden.heads + head) * golden.value;
      });
}

double getErrorFromNearest(const std::vector<HostTensor> &outputs,
                           const Golden &golden, const Reference &reference) {
  std::map<std::pair<int64_t, int64_t>, std::vector<std::vector<double>>> right;
  return compare(
      outputs, golden, [&](int64_t token, int64_t head, const double *row) {
        std::vector<std::vector<double>> &rows = right[{token, head}];
        if (rows.empty())
          rows = reference.attendRightly(token, head);
        const double *nearest = rows.front().data();
        double least = getSquaredDistance(row, nearest, golden.value);
        for (const std::vector<double> &other : rows)
          if (double distance =
                  getSquaredDistance(row, other.data(), golden.value);
              distance < least) {
            least = distance;
            nearest = other.data();
          }
        return nearest;
      });
}

} // namespace mla::parity
