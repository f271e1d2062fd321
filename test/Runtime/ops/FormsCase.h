//===- FormsCase.h - One attention in both forms, in parts ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_FORMSCASE_H
#define MLA_TEST_RUNTIME_OPS_FORMSCASE_H

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/Array.h"

namespace mla {
namespace test {

/// Queries, weights and a paged cache of f32. Every result is [T,H,V] with its
/// lse [T,H], in the absorbed form projected, so that the forms compare. A call
/// may be given indices, to see a part of the keys, and sinks.
class FormsCase {
public:
  FormsCase(TestContext &ctx, uint64_t seed,
            const std::vector<int64_t> &lengths,
            const std::vector<int64_t> &newTokens, int64_t padding,
            int64_t peWidth);

  reference::State absorbed(const TestTensor &indices,
                            const TestTensor &sinks) const;
  /// Over the keys [start, start + length) of each sequence.
  reference::State expanded(int64_t start, int64_t length,
                            const TestTensor &indices,
                            const TestTensor &sinks) const;

  /// acc <- acc + the states, in one call.
  reference::State merge(const reference::State &acc,
                         const std::vector<reference::State> &states) const;
  /// (0, -inf) everywhere.
  reference::State empty() const;
  /// (0, sink) for every token of a sequence, empty for padding.
  reference::State sinkState() const;

  /// Indices of all keys, dealt to `parts` parts at random: none may be empty
  /// of luck, some are.
  std::vector<TestTensor> partition(int64_t parts);
  /// Unique indices, of which some are -1, beyond the end or acausal.
  TestTensor someIndices(int64_t count);

  int64_t mostKeys() const { return most; }
  Random &random() { return engine; }

  PagedBatch batch;
  const int64_t heads = 3, nope = 32, value = 24;
  TestTensor sinks;

private:
  static PagedBatch makeBatch(Random &random,
                              const std::vector<int64_t> &lengths,
                              const std::vector<int64_t> &newTokens,
                              int64_t padding, int64_t peWidth);
  TestTensor make(const Shape &shape, double range) const;

  TestContext &ctx;
  mutable Random engine;
  int64_t most = 0;
  TestTensor qNope, qPe, weights; ///< w_kv_b [H,N+V,L].
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_FORMSCASE_H
