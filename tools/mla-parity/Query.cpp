//===- Query.cpp - The queries of a golden case in float64 ----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Query.h"

#include "HostTensor.h"
#include "Quantize.h"

#include <algorithm>
#include <cmath>

namespace mla::parity {

/// 2^4 combinations are few enough to try, and of more near ties in a row the
/// others change little: their codes are close together.
constexpr size_t kMostTies = 4;

std::vector<double> rotate(const Golden &golden, const double *columns,
                           int64_t token) {
  std::vector<double> result(columns, columns + golden.pe);
  int64_t half = golden.pe / 2;
  for (int64_t i = 0; golden.isRotated() && i < half; ++i) {
    int64_t first = golden.isHalf ? i : 2 * i;
    int64_t second = golden.isHalf ? i + half : 2 * i + 1;
    double cos = golden.cos[static_cast<size_t>(token * half + i)];
    double sin = golden.sin[static_cast<size_t>(token * half + i)];
    double a = columns[first], b = columns[second];
    result[static_cast<size_t>(first)] = a * cos - b * sin;
    result[static_cast<size_t>(second)] = b * cos + a * sin;
  }
  return result;
}

double getLargest(const std::vector<double> &values) {
  double largest = 0;
  for (double value : values)
    largest = std::max(largest, std::fabs(value));
  return largest;
}

float getScale(double largest, double headroom) {
  return static_cast<float>(headroom * largest / kLargestE4M3);
}

/// What a sum of `count` products in f32 may be off by, in any order. Each
/// product goes through at most `count` roundings, its own and those of
/// additions, and each rounding is off by at most 2^-24 of its result. So the
/// error is at most count * 2^-24 of the sum of magnitudes; but roundings go up
/// as often as down, and then it is a few times less than sqrt(count) * 2^-24.
static double getSlack(int64_t count, double magnitude) {
  auto roundings = static_cast<double>(count);
  return std::min(roundings, 2 * std::sqrt(roundings)) * 0x1p-24 * magnitude;
}

Query::Query(const Golden &g, uint32_t dtype, const std::vector<double> &weight)
    : golden(g), dtype(dtype) {
  int64_t columns = g.nope + g.pe;
  std::vector<double> q =
      HostTensor(dtype, {g.tokens, g.heads, columns}, g.q).toDoubles();
  for (int64_t token = 0; token < g.tokens; ++token)
    for (int64_t head = 0; head < g.heads; ++head)
      addRow(q.data() + (token * g.heads + head) * columns,
             weight.data() + head * (g.nope + g.value) * g.latent, token);
}

void Query::addRow(const double *q, const double *keys, int64_t token) {
  int64_t latent = golden.latent, nope = golden.nope, pe = golden.pe;
  std::vector<double> absorbed(static_cast<size_t>(latent), 0.0);
  std::vector<double> magnitudes = absorbed;
  for (int64_t n = 0; n < nope; ++n)
    for (int64_t l = 0; l < latent; ++l) {
      double product = q[n] * keys[n * latent + l];
      absorbed[static_cast<size_t>(l)] += product;
      magnitudes[static_cast<size_t>(l)] += std::fabs(product);
    }
  values.insert(values.end(), absorbed.begin(), absorbed.end());
  for (double magnitude : magnitudes)
    slack.push_back(getSlack(nope, magnitude));

  std::vector<double> rotated = rotate(golden, q + nope, token);
  values.insert(values.end(), rotated.begin(), rotated.end());
  // Two products of a cosine and a sine.
  double largest =
      golden.isRotated() ? getLargest({q + nope, q + nope + pe}) : 0;
  slack.insert(slack.end(), static_cast<size_t>(pe), getSlack(2, 2 * largest));
}

double Query::decode(double value, int64_t column, float scale) const {
  // The absorbed part comes in the activations' type, the rotated one in f32.
  if (column < golden.latent)
    value =
        HostTensor(dtype, {1}, {static_cast<float>(value)}).toDoubles().front();
  return decodeE4M3(parity::quantize(value, scale)) * scale;
}

float Query::quantize() {
  float scale = getScale(getLargest(values), 1.3);
  int64_t width = golden.latent + golden.pe;
  for (size_t i = 0; i < values.size(); ++i) {
    auto index = static_cast<int64_t>(i);
    int64_t column = index % width, row = index / width;
    double least = decode(values[i] - slack[i], column, scale);
    double largest = decode(values[i] + slack[i], column, scale);
    values[i] = decode(values[i], column, scale);
    if (least != largest)
      nearTies[{row / golden.heads, row % golden.heads}].push_back(
          {column, values[i] == least ? largest : least});
  }
  return scale;
}

const double *Query::getRow(int64_t token, int64_t head) const {
  return values.data() +
         (token * golden.heads + head) * (golden.latent + golden.pe);
}

std::vector<std::vector<double>> Query::getRightRows(int64_t token,
                                                     int64_t head) const {
  const double *row = getRow(token, head);
  std::vector<std::vector<double>> rows = {
      {row, row + golden.latent + golden.pe}};
  auto found = nearTies.find({token, head});
  if (found == nearTies.end())
    return rows;
  std::vector<NearTie> ties = found->second;
  auto getDifference = [&](const NearTie &tie) {
    return std::fabs(tie.other - row[tie.column]);
  };
  std::stable_sort(ties.begin(), ties.end(),
                   [&](const NearTie &a, const NearTie &b) {
                     return getDifference(a) > getDifference(b);
                   });
  ties.resize(std::min(ties.size(), kMostTies));
  for (const NearTie &tie : ties) {
    size_t count = rows.size();
    for (size_t i = 0; i < count; ++i) {
      rows.push_back(rows[i]);
      rows.back()[static_cast<size_t>(tie.column)] = tie.other;
    }
  }
  return rows;
}

} // namespace mla::parity
