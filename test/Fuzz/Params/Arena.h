//===- Arena.h - Watched memory behind a call's tensors ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_FUZZ_PARAMS_ARENA_H
#define MLA_TEST_FUZZ_PARAMS_ARENA_H

#include "mla_runtime/runtime.h"

#include <optional>
#include <utility>
#include <vector>

namespace mla {
namespace fuzz {

/// One allocation that all tensors of a call lie in, with guard bytes between
/// them: what a call writes anywhere in it is seen. Under the address sanitizer
/// reading a guard is an error, too.
class Arena {
public:
  static constexpr size_t capacity = 3 << 20;

  Arena();
  ~Arena();
  Arena(const Arena &) = delete;

  /// Forgets the tensors, and poisons what they used.
  void clear();
  /// `bytes` zero bytes at a multiple of 64 plus `misalignment`; null when
  /// there is no room.
  char *allocate(size_t bytes, size_t misalignment);

  /// First byte and one past the last that the elements cover, as offsets from
  /// the start; none when they don't lie in one allocation, or when a
  /// descriptor makes no sense.
  std::optional<std::pair<size_t, size_t>>
  extent(const mla_tensor &tensor) const;

  /// Remembers all bytes.
  void snapshot();
  /// Bytes that differ from the snapshot, and are no element of `written`;
  /// these must all have an extent.
  size_t damage(const std::vector<const mla_tensor *> &written);

private:
  /// Makes everything but the tensors' bytes untouchable.
  void guardAgain();

  char *memory;
  size_t used = 0;
  std::vector<std::pair<char *, size_t>> regions;
  std::vector<char> before;
};

} // namespace fuzz
} // namespace mla

#endif // MLA_TEST_FUZZ_PARAMS_ARENA_H
