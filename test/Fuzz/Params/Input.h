//===- Input.h - Choices read off a fuzz input ------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_PARAMS_INPUT_H
#define MLA_TEST_FUZZ_PARAMS_INPUT_H

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace mla {
namespace fuzz {

/// One byte a choice, so that a mutated byte changes one choice; 0 beyond the
/// end, and the first alternative is always the plainest.
class Input {
public:
  Input(const uint8_t *data, size_t size) : next(data), end(data + size) {}

  uint8_t byte() { return next == end ? 0 : *next++; }
  /// In [0, n); 0 < n <= 256.
  unsigned below(unsigned n) { return byte() % n; }
  bool coin() { return byte() & 1; }
  /// True for one byte in n, and never once the input is used up.
  bool oneIn(unsigned n) { return byte() % n == n - 1; }
  template <typename T> T pick(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<unsigned>(values.size()))];
  }
  /// Small, near a power of two, near a limit, or any.
  int64_t number() {
    switch (below(6)) {
    case 0:
      return below(256);
    case 1:
      return -static_cast<int64_t>(below(256));
    case 2:
      return int64_t{1} << below(63);
    case 3:
      return pick<int64_t>({INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
                            int64_t{INT32_MAX} + 1, int64_t{INT32_MIN} - 1,
                            UINT32_MAX, INT64_MAX - 1});
    case 4:
      return (int64_t{1} << below(40)) - 1;
    default: {
      uint64_t bits = 0;
      for (int i = 0; i < 8; ++i)
        bits = bits << 8 | byte();
      return static_cast<int64_t>(bits);
    }
    }
  }
  bool empty() const { return next == end; }

private:
  const uint8_t *next, *end;
};

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_PARAMS_INPUT_H
