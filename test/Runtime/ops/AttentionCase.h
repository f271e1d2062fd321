//===- AttentionCase.h - One call of mla_absorbed_attention ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_OPS_ATTENTIONCASE_H
#define MLA_TEST_RUNTIME_OPS_ATTENTIONCASE_H

#include "PagedBatch.h"
#include "TestContext.h"
#include "reference/absorbed_attention.h"
#include "reference/quantize.h"

namespace mla {
namespace test {

/// A batch with a query, and room for the result.
struct AttentionCase {
  AttentionCase(Random &random, const PagedBatch &batch, int64_t heads,
                uint32_t dtype, uint32_t outDtype)
      : batch(batch), heads(heads) {
    int64_t width = batch.spec.latentWidth + batch.spec.peWidth;
    query = TestTensor(dtype, {batch.numTokens, heads, width},
                       batch.spec.layout, random);
    o = TestTensor(outDtype, {batch.numTokens, heads, batch.spec.latentWidth},
                   batch.spec.layout, random);
    lse = TestTensor(MLA_DTYPE_F32, {batch.numTokens, heads}, Layout::Gapped,
                     random);
    // Logits of a few units: a softmax with some keys ahead of the others.
    query.fillRandom(random, -3, 3);
    scale = 1.0 / std::sqrt(128.0 + static_cast<double>(batch.spec.peWidth));
  }

  void addSinks(Random &random) {
    sinks = TestTensor(MLA_DTYPE_F32, {heads}, Layout::Gapped, random);
    sinks.fillRandom(random, -1, 4);
  }

  /// Unique positions, some beyond the sequence's end, some -1.
  void addIndices(Random &random, int64_t count, int64_t most) {
    indices = TestTensor(MLA_DTYPE_I32, {batch.numTokens, count},
                         Layout::Gapped, random);
    for (int64_t t = 0; t < batch.numTokens; ++t) {
      std::vector<int64_t> chosen = random.choose(count, most + count);
      for (int64_t i = 0; i < count; ++i)
        indices.set({t, i},
                    random.chance(0.1) ? -1 : static_cast<double>(chosen[i]));
    }
  }

  /// Of a token, at most as many keys as its sequence has.
  void addBounds(Random &random) {
    bounds =
        TestTensor(MLA_DTYPE_I32, {batch.numTokens}, Layout::Gapped, random);
    for (int64_t b = 0; b < batch.numSeqs; ++b)
      for (auto t = static_cast<int64_t>(batch.cuQ.at({b}));
           t < batch.cuQ.at({b + 1}); ++t)
        bounds.set({t}, static_cast<double>(random.integer(
                            0, static_cast<int64_t>(batch.kvLens.at({b})))));
  }

  mla_absorbed_attention_params params() const {
    auto params = makeParams<mla_absorbed_attention_params>();
    params.query = query.get();
    params.query_scale = queryScale.get();
    batch.cache.set(params);
    params.page_table = batch.pageTable.get();
    params.kv_lens = batch.kvLens.get();
    params.cu_q = batch.cuQ.get();
    params.kv_bounds = bounds.get();
    params.schedule = schedule.get();
    params.sinks = sinks.get();
    params.indices = indices.get();
    params.o = o.get();
    params.lse = lse.get();
    params.softmax_scale = scale;
    return params;
  }

  reference::AbsorbedAttention formula() const {
    reference::AbsorbedAttention result;
    result.query = reference::dequantize(
        query.array(), queryScale ? static_cast<float>(queryScale.at({})) : 0);
    result.latent = batch.cache.latentValues();
    result.pe = batch.cache.peValues();
    result.pageTable = batch.pageTable.array();
    result.kvLens = batch.kvLens.array();
    result.cuQ = batch.cuQ.array();
    result.kvBounds = bounds.array();
    result.sinks = sinks.array();
    result.indices = indices.array();
    result.softmaxScale = scale;
    return result;
  }

  PagedBatch batch;
  int64_t heads;
  TestTensor query, queryScale, sinks, indices, bounds, schedule, o, lse;
  double scale = 1;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_OPS_ATTENTIONCASE_H
