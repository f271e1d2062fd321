//===- Golden.h - What a framework computed ---------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TOOLS_PARITY_GOLDEN_H
#define MLA_TOOLS_PARITY_GOLDEN_H

#include "io/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mla::parity {

/// One causal sequence through one attention core, and what came out. Sizes:
/// S tokens, H heads, L, N, R, V as everywhere, topk.
struct Golden {
  std::string name; ///< of the file, without directory and suffix
  int64_t tokens = 0, heads = 0, latent = 0, nope = 0, pe = 0, value = 0;
  int64_t topk = 0;             ///< 0: dense
  double softmaxScale = 0;      ///< NaN when the file states none
  bool isHalf = false;          ///< pairs (i, i + R/2), else (2i, 2i + 1)
  std::vector<float> q;         ///< [S, H, N+R], before rotation
  std::vector<float> cKV;       ///< [S, L]
  std::vector<float> kPe;       ///< [S, R], before rotation
  std::vector<float> weight;    ///< w_kv_b [H, N+V, L]
  std::vector<float> cos, sin;  ///< [S, R/2], of the rows' positions; or empty
  std::vector<float> sinks;     ///< [H], or empty
  std::vector<int32_t> indices; ///< [S, topk], rows of this file
  std::vector<float> out;       ///< [S, H, V]

  bool isRotated() const { return !cos.empty(); }

  /// Errors are one sentence that starts with `path`.
  static io::Result<Golden> read(const std::string &path);
};

/// Name of a file without its directories and its last suffix.
std::string getStem(const std::string &path);

} // namespace mla::parity

#endif // MLA_TOOLS_PARITY_GOLDEN_H
