//===- Random.h - Random choices of the tests -----------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_RANDOM_H
#define MLA_TEST_RUNTIME_RANDOM_H

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <random>
#include <vector>

namespace mla {
namespace test {

/// Choices that are the same on every machine for one seed (the distributions
/// of <random> aren't).
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// In [low, high].
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() %
                                      static_cast<uint64_t>(high - low + 1));
  }
  /// In [low, high).
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(engine() >> 11) * 0x1p-53;
  }
  bool chance(double probability) { return real(0, 1) < probability; }
  template <typename T> T pick(std::initializer_list<T> values) {
    return values.begin()[integer(0, values.size() - 1)];
  }
  /// The first `count` of a permutation of [0, total).
  std::vector<int64_t> choose(int64_t count, int64_t total) {
    std::vector<int64_t> all(total);
    std::iota(all.begin(), all.end(), 0);
    for (int64_t i = 0; i < count; ++i)
      std::swap(all[i], all[integer(i, total - 1)]);
    all.resize(count);
    return all;
  }

private:
  std::mt19937_64 engine;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_RANDOM_H
