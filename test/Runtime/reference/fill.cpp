//===- fill.cpp - Fills ---------------------------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "fill.h"

#include <cmath>

void mla::reference::fill(double value, Array &dst) {
  for (double &element : dst.data)
    element = value;
}

double mla::reference::toInteger(double value, double lowest, double highest) {
  double down = std::floor(value), fraction = value - down;
  bool up = fraction > 0.5 || (fraction == 0.5 && std::fmod(down, 2) != 0);
  double rounded = up ? down + 1 : down;
  if (rounded < lowest)
    return lowest;
  return rounded > highest ? highest : rounded;
}
