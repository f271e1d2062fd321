//===- expand_kv.cpp - Keys and values rebuilt from latents ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "expand_kv.h"

using namespace mla::reference;

Array mla::reference::expandKv(const Array &cKv, const Array &wKvB) {
  Array result({cKv.dim(0), wKvB.dim(0), wKvB.dim(1)});
  for (int64_t s = 0; s < result.dim(0); ++s)
    for (int64_t h = 0; h < result.dim(1); ++h)
      for (int64_t i = 0; i < result.dim(2); ++i) {
        double sum = 0;
        for (int64_t l = 0; l < cKv.width(); ++l)
          sum += wKvB.at(h, i, l) * cKv.at(s, l);
        result.at(s, h, i) = sum;
      }
  return result;
}
