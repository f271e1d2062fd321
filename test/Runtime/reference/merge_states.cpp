//===- merge_states.cpp - Partial attention states added up ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "merge_states.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mla::reference;

void mla::reference::mergeStates(const State &states, State &acc) {
  const double none = -std::numeric_limits<double>::infinity();
  for (int64_t s = 0; s < states.lse.dim(0); ++s)
    for (int64_t t = 0; t < acc.lse.dim(0); ++t)
      for (int64_t h = 0; h < acc.lse.dim(1); ++h) {
        double a = acc.lse.at(t, h), b = states.lse.at(s, t, h);
        if (b == none)
          continue;
        double top = std::max(a, b);
        double wa = std::exp(a - top), wb = std::exp(b - top);
        for (int64_t i = 0; i < acc.o.width(); ++i) {
          double old = a == none ? 0 : acc.o.at(t, h, i);
          acc.o.at(t, h, i) =
              (wa * old + wb * states.o.at(s, t, h, i)) / (wa + wb);
        }
        acc.lse.at(t, h) = top + std::log(wa + wb);
      }
}
