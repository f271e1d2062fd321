//===- CacheLayout.h - What the bytes of a cache's row are ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_CACHELAYOUT_H
#define MLA_TOOLS_PARITY_CACHELAYOUT_H

#include <cstdint>
#include <string>
#include <vector>

namespace mla::parity {

/// As mla-import's --cache names them.
enum class CacheFormat {
  Same, ///< "same": in the type of the activations
  FP8,  ///< "fp8": with one scale for the latents and one for the pe columns
  FP8Query, ///< "fp8_query": the same, and the query is quantized too
  FP8Block  ///< "fp8_block": a scale for 128 columns of a row, 16-bit pe
};

const std::vector<std::string> &getCacheNames();
/// The format of one of these names.
CacheFormat getCacheFormat(const std::string &name);

/// Columns of the latent that share a scale in FP8Block.
constexpr int64_t kScaleBlock = 128;

/// A row is [latents | pe], of FP8Block [latents | scales | pe].
struct CacheLayout {
  CacheFormat format;
  uint32_t activations; ///< MLA_DTYPE_*
  int64_t latent, pe;   ///< columns

  bool isBlock() const { return format == CacheFormat::FP8Block; }
  bool isScaled() const {
    return format == CacheFormat::FP8 || format == CacheFormat::FP8Query;
  }
  bool isQuantized() const { return format != CacheFormat::Same; }

  /// Of the cache as one tensor, whose elements are bytes for FP8Block.
  uint32_t getDtype() const;
  int64_t getWidth() const;
  uint32_t getLatentDtype() const;
  uint32_t getPeDtype() const;
  /// In bytes, from a row's start.
  int64_t getScalesOffset() const;
  int64_t getPeOffset() const;
  int64_t getRowBytes() const;
};

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_CACHELAYOUT_H
