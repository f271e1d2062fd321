//===- gather_kv.cpp - A window of cache rows to contiguous ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "gather_kv.h"

using namespace mla::reference;

GatheredKv mla::reference::gatherKv(const Array &latent, const Array &pe,
                                    const Array &pageTable, const Array &kvLens,
                                    int64_t start, int64_t length) {
  int64_t rows = kvLens.dim(0) * length, pageSize = latent.dim(1);
  GatheredKv result{Array({rows, latent.width()}),
                    pe.present() ? Array({rows, pe.width()}) : Array()};
  for (int64_t s = 0; s < rows; ++s) {
    int64_t b = s / length, p = start + s % length;
    if (p >= kvLens.integer(b))
      continue;
    int64_t page = pageTable.integer(b, p / pageSize), row = p % pageSize;
    for (int64_t i = 0; i < latent.width(); ++i)
      result.cKv.at(s, i) = latent.at(page, row, i);
    for (int64_t i = 0; i < pe.width(); ++i)
      result.kPe.at(s, i) = pe.at(page, row, i);
  }
  return result;
}
