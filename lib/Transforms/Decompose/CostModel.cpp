//===- CostModel.cpp - Which form of attention is cheaper -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CostModel.h"

using namespace mlir;
using namespace mla::detail;

OpFoldResult mla::detail::isExpandedCheaper(HostArithmetic &host,
                                            const AttentionWidths &widths,
                                            const AttentionLoad &load) {
  auto times = [&](OpFoldResult a, int64_t width) {
    return host.mul(a, host.constant(width));
  };
  int64_t projection = widths.latent * (widths.nope + widths.value);
  OpFoldResult pairs = host.mul(load.tokens, load.keys);
  OpFoldResult absorbed = host.add(times(pairs, 2 * widths.latent + widths.pe),
                                   times(load.tokens, projection));
  OpFoldResult expanded =
      host.add(times(pairs, widths.nope + widths.pe + widths.value),
               times(host.mul(load.sequences, load.keys), projection));
  return host.isLess(expanded, absorbed);
}
