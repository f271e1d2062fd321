//===- CacheRow.h - Rows of a block-scaled cache ----------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A cache of i8 elements holds rows of bytes, which are
//
//   [L f8E4M3FN latents | L/128 f32 scales | R 16-bit pe columns]
//
// where scale i is that of the latent's columns [128 i, 128 (i+1)).

#ifndef MLA_IR_CACHEROW_H
#define MLA_IR_CACHEROW_H

#include "mlir/IR/BuiltinTypes.h"

namespace mla {

/// Columns of the latent that share a scale.
constexpr int64_t kScaleBlock = 128;
/// What the bytes between rows, between pages and before the first row are a
/// multiple of: the scales are read in place.
constexpr int64_t kPackedRowAlignment = 4;

/// Whether `type` is a tensor or memref of such rows.
bool isPackedCache(mlir::Type type);

/// Bytes of a row: 656 for L = 512, R = 64. L is a multiple of kScaleBlock.
int64_t getPackedRowBytes(int64_t latent, int64_t pe);

/// The type of the pe columns: that of the activations where it has 16 bits,
/// else bf16.
mlir::Type getPackedPeType(mlir::Type activations);

} // namespace mla

#endif // MLA_IR_CACHEROW_H
