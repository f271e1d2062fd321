//===- absorb_q.cpp - The query times W_UK --------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "absorb_q.h"

using namespace mla::reference;

Array mla::reference::absorbQ(const Array &qNope, const Array &wUk) {
  int64_t tokens = qNope.dim(0), heads = qNope.dim(1), width = wUk.width();
  Array result({tokens, heads, width});
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t h = 0; h < heads; ++h) {
      double *out = result.data.data() + (t * heads + h) * width;
      for (int64_t n = 0; n < qNope.width(); ++n) {
        double q = qNope.at(t, h, n);
        const double *w = wUk.data.data() + (h * qNope.width() + n) * width;
        for (int64_t l = 0; l < width; ++l)
          out[l] += q * w[l];
      }
    }
  return result;
}
