//===- Grids.h - What the grids are made with -------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_BENCH_GRIDS_H
#define MLA_BENCH_GRIDS_H

#include "Case.h"

#include "mla_runtime/runtime.h"

namespace mla::bench {

/// `given` where the user gave any, else `own`.
template <typename T>
std::vector<T> choose(const std::vector<T> &given, const std::vector<T> &own) {
  return given.empty() ? own : given;
}

/// A case in a type as a user names it: an fp8 type is the cache's, of a model
/// that computes in bf16.
inline Case inType(uint32_t dtype) {
  Case c;
  bool fp8 = dtype == MLA_DTYPE_F8E4M3FN;
  c.dtype = fp8 ? uint32_t{MLA_DTYPE_BF16} : dtype;
  c.cacheDtype = dtype;
  return c;
}

/// All that append is measured over.
std::vector<Case> appendCases(const GridOptions &options);
/// A few of every kind.
std::vector<Case> fewAppendCases(const GridOptions &options);
/// From what stays in a cache of the machine to a gigabyte.
std::vector<Case> gatherCases(const GridOptions &options);

/// One sequence to 16, drafts of several tokens, and uneven lengths, each
/// beside the same work evenly split.
std::vector<Case> latencyCases(const GridOptions &options);

} // namespace mla::bench

#endif // MLA_BENCH_GRIDS_H
