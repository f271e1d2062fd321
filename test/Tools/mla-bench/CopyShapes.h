//===- CopyShapes.h - Transfers of many kinds -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_TOOLS_MLABENCH_COPYSHAPES_H
#define MLA_TEST_TOOLS_MLABENCH_COPYSHAPES_H

#include "Device.h"

#include <random>

namespace mla::bench {

/// What the ends of several transfers have in memory, each `regionBytes`.
struct CopyImage {
  std::vector<char> from, to;
  std::vector<int64_t> index; ///< A permutation of what stands for tokens.

  explicit CopyImage(int64_t regionBytes, int64_t regions, int64_t tokens)
      : from(static_cast<size_t>(regionBytes * regions)), to(from.size()),
        index(static_cast<size_t>(tokens)) {
    std::mt19937 engine(1);
    for (std::vector<char> *part : {&from, &to})
      for (char &byte : *part)
        byte = static_cast<char>(engine());
    for (size_t i = 0; i < index.size(); ++i)
      index[i] = static_cast<int64_t>(index.size() - 1 - i);
  }
};

constexpr int64_t copyRegion = 1 << 20;
constexpr int64_t copyTokens = 61;

/// Eight transfers, each with a region of its own at either end: rows of every
/// alignment, that grow, shrink, go nowhere, come from nowhere or stay.
inline std::vector<Transfer> copyShapes(char *from, char *to,
                                        const int64_t *index) {
  std::vector<Transfer> all;
  auto add = [&](Transfer t, int64_t offset) {
    auto region = static_cast<int64_t>(all.size()) * copyRegion + offset;
    t.from = t.readBytes ? from + region : nullptr;
    t.to = t.writeBytes ? to + region : nullptr;
    all.push_back(t);
  };
  const int64_t T = copyTokens;
  add({nullptr, nullptr, T, 5, 96, 96, 5 * 112, 112, 5 * 96, 96}, 0);
  add({nullptr, nullptr, T, 1, 1024, 528, 1152, 0, 656, 0, nullptr, index}, 16);
  add({nullptr, nullptr, T, 3, 24, 24, 128, 40, 72, 24}, 8);
  add({nullptr, nullptr, T, 7, 12, 36, 84, 12, 7 * 44, 44, index, index}, 4);
  add({nullptr, nullptr, T, 2, 7, 5, 30, 11, 23, 9}, 3);
  add({nullptr, nullptr, T, 1, 0, 128, 0, 0, 144, 0}, 0);
  add({nullptr, nullptr, T, 1, 256, 0, 256, 0, 0, 0, index}, 0);
  add({nullptr, nullptr, T, 16, 128, 128, 16 * 384, 384, 16 * 384, 384}, 256);
  all.back().from = all.back().to; // in place
  return all;
}

} // namespace mla::bench

#endif // MLA_TEST_TOOLS_MLABENCH_COPYSHAPES_H
