//===- CostModel.h - Which form of attention is cheaper ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_DECOMPOSE_COSTMODEL_H
#define LIB_TRANSFORMS_DECOMPOSE_COSTMODEL_H

#include "HostArithmetic.h"

namespace mla::detail {

/// The widths of an attention, in columns.
struct AttentionWidths {
  int64_t latent = 0, nope = 0, pe = 0, value = 0;
};

/// A launch as far as its cost goes: each of `sequences` has at most `keys`
/// keys.
struct AttentionLoad {
  mlir::OpFoldResult tokens, sequences, keys;
};

/// Whether the expanded form takes fewer multiply-adds a head than the absorbed
/// one: a constant 0 or 1, or an i1. With T, B and M for the load,
///
///     absorbed   T M (2L+R) + T L (N+V)
///     expanded   T M (N+R+V) + B M L (N+V)
///
/// In each the first term is the logits and the weighted values of T tokens
/// against M keys each; the second is the absorption of W_UK and W_UV into the
/// query and the output, resp. the expansion of the keys of B sequences.
mlir::OpFoldResult isExpandedCheaper(HostArithmetic &host,
                                     const AttentionWidths &widths,
                                     const AttentionLoad &load);

} // namespace mla::detail

#endif // LIB_TRANSFORMS_DECOMPOSE_COSTMODEL_H
