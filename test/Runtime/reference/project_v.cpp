//===- project_v.cpp - W_UV times the latent output -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "project_v.h"

using namespace mla::reference;

Array mla::reference::projectV(const Array &oLatent, const Array &wUv) {
  int64_t tokens = oLatent.dim(0), heads = oLatent.dim(1);
  int64_t inner = oLatent.width(), width = wUv.dim(1);
  Array result({tokens, heads, width});
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t v = 0; v < width; ++v) {
        const double *o = oLatent.data.data() + (t * heads + h) * inner;
        const double *w = wUv.data.data() + (h * width + v) * inner;
        double sum = 0;
        for (int64_t l = 0; l < inner; ++l)
          sum += w[l] * o[l];
        result.at(t, h, v) = sum;
      }
  return result;
}
