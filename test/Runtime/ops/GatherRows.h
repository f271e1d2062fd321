//===- GatherRows.h - One call of mla_gather_kv, bit for bit --------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A row of the cache has one value wherever it is gathered to, which the
// reference computes once: windows can have any size.
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_GATHERROWS_H
#define MLA_TEST_RUNTIME_OPS_GATHERROWS_H

#include "CachePool.h"
#include "MemoryImage.h"

namespace mla {
namespace test {

/// One call: what varies, its tensors, and what memory is to hold after it.
struct GatherRows {
  CacheSpec spec;
  int64_t pages = 5, seqs = 5, pagesEach = 6, start = 0, length = 40;
  int64_t maxKv = 0;
  uint32_t out = MLA_DTYPE_BF16;
  bool onePool = true;
  bool sliced = false; ///< c_kv and k_pe are slices of one tensor.
  int64_t unit = 0;    ///< Elements beside its rows, as many or twice.

  CachePool cache;
  TestTensor pageTable, kvLens, cKv, kPe;
  TestTensor latentRows, peRows; ///< The cache's rows in the type `out`.
  MemoryImage image;

  /// Makes the tensors; page_table, kv_lens and the scales may be changed
  /// before expect() looks at them.
  void build(Random &random);
  mla_gather_kv_params params() const;
  /// Works out what all memory is to hold after the call.
  void expect();
  std::string describe() const;

private:
  void makeCache(Random &random);
  void makeSequences(Random &random);
  void makeOutputs(Random &random);
  TestTensor convert(const TestTensor &part, const reference::Array &values,
                     Random &random) const;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_GATHERROWS_H
