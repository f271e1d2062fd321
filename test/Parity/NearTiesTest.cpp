//===- NearTiesTest.cpp - Queries half way between two codes --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Comparison.h"
#include "Quantize.h"
#include "mla_runtime/tensor.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace mla::parity;

namespace {

constexpr int64_t kLatent = 8;

/// One head whose absorbed query is its q: w_kv_b is the identity, twice.
Golden makeGolden(const std::vector<float> &query) {
  Golden golden;
  golden.tokens = 3;
  golden.heads = 1;
  golden.latent = golden.nope = golden.value = kLatent;
  golden.softmaxScale = 0.25;
  golden.weight.assign(2 * kLatent * kLatent, 0);
  for (int64_t i = 0; i < 2 * kLatent; ++i)
    golden.weight[i * kLatent + i % kLatent] = 1;
  for (int64_t token = 0; token < golden.tokens; ++token)
    for (int64_t i = 0; i < kLatent; ++i) {
      golden.q.push_back(query[i]);
      golden.cKV.push_back(i ? ((token * 5 + i * 3) % 7 - 3) / 3.0f : 0);
    }
  return golden;
}

/// The first element makes the scale 1, to an f32's last bit, and meets zeros.
/// 17 is half way between 16 and 18.
const std::vector<float> kQuery = {448 / 1.3f, 17, 2, 1.125, 3, 0, -1, 0.5};

std::vector<uint8_t> makeRows(const Golden &golden) {
  std::vector<uint8_t> rows;
  for (float value : golden.cKV)
    rows.push_back(quantize(value, 1 / kLargestE4M3));
  return rows;
}

/// What attention gives for this query.
std::vector<float> attend(const std::vector<float> &query) {
  Golden golden = makeGolden(query);
  Reference reference(golden, MLA_DTYPE_F32, CacheFormat::FP8Query);
  std::vector<double> out = reference.attend(makeRows(golden));
  return {out.begin(), out.end()};
}

struct Errors {
  double plain, nearest;
};

/// Of the output for `other` from the reference for `query`.
Errors compare(const std::vector<float> &query,
               const std::vector<float> &other) {
  Golden golden = makeGolden(query);
  Reference reference(golden, MLA_DTYPE_F32, CacheFormat::FP8Query);
  std::vector<HostTensor> outputs = {
      HostTensor(MLA_DTYPE_F32, {golden.tokens, 1, kLatent}, attend(other))};
  double plain = getError(outputs, golden, reference.attend(makeRows(golden)));
  return {plain, getErrorFromNearest(outputs, golden, reference)};
}

std::vector<float> with(int64_t column, float value) {
  std::vector<float> query = kQuery;
  query[column] = value;
  return query;
}

TEST(NearTies, Same) {
  Errors errors = compare(kQuery, kQuery);
  EXPECT_LT(errors.plain, 1e-6);
  EXPECT_LT(errors.nearest, 1e-6);
}

TEST(NearTies, EitherCodeIsRight) {
  // Five times less than the sum may be off by.
  for (float tie : {17 - 0x1p-20f, 17.0f, 17 + 0x1p-20f}) {
    Errors down = compare(with(1, tie), with(1, 16));
    Errors up = compare(with(1, tie), with(1, 18));
    EXPECT_GT(std::max(down.plain, up.plain), 2e-4) << tie;
    EXPECT_LT(std::min(down.plain, up.plain), 1e-6) << tie;
    EXPECT_LT(down.nearest, 1e-6) << tie;
    EXPECT_LT(up.nearest, 1e-6) << tie;
  }
}

TEST(NearTies, OtherElementsHaveOneCode) {
  for (auto [column, value] : {std::pair{2, 2.25f}, {3, 1.25f}, {4, 3.25f}}) {
    Errors errors = compare(kQuery, with(column, value));
    EXPECT_GT(errors.plain, 2e-4) << column;
    EXPECT_GT(errors.nearest, 2e-4) << column;
  }
}

TEST(NearTies, BeyondTheErrorOfTheSum) {
  EXPECT_GT(compare(with(1, 17 + 0x1p-16f), with(1, 16)).nearest, 2e-4);
  EXPECT_GT(compare(with(1, 17 - 0x1p-16f), with(1, 18)).nearest, 2e-4);
  EXPECT_GT(compare(kQuery, with(1, 20)).nearest, 2e-4);
}

} // namespace
