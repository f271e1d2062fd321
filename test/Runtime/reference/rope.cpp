//===- rope.cpp - Rotary position embedding -------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "rope.h"

using namespace mla::reference;

Array mla::reference::rope(const Array &x, const Array &cosSin,
                           const Array &positions, RopeStyle style) {
  Array y = x;
  if (style == RopeStyle::None || x.data.empty())
    return y;
  int64_t width = x.width();
  int64_t rows = x.data.size() / width, rowsPerToken = rows / x.dim(0);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < width / 2; ++i) {
      int64_t p = positions.integer(row / rowsPerToken);
      double c = cosSin.at(p, i), s = cosSin.at(p, width / 2 + i);
      int64_t first = style == RopeStyle::Interleaved ? 2 * i : i;
      int64_t second =
          style == RopeStyle::Interleaved ? 2 * i + 1 : i + width / 2;
      double a = x.data[row * width + first];
      double b = x.data[row * width + second];
      y.data[row * width + first] = a * c - b * s;
      y.data[row * width + second] = b * c + a * s;
    }
  return y;
}
