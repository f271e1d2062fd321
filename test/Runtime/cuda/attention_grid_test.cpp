//===- attention_grid_test.cpp - FlashMLA's published grid ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The cases of FlashMLA's tests of dense decoding, its inputs and its bounds;
// every element is compared with float64. With those inputs all keys weigh
// nearly the same, so that a case of each shape is run with a sharp softmax
// too.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

#include "reference/absorbed_attention.h"

using namespace mla;
using namespace mla::test;

namespace {

/// The type, and the positional columns.
class CudaAttentionGridTest
    : public testing::TestWithParam<std::pair<uint32_t, int64_t>> {
protected:
  void compare(AttentionForm form, int64_t tokensEach, bool isRagged) {
    form.dtype = form.outDtype = GetParam().first;
    form.peWidth = GetParam().second;
    form.setTokens(tokensEach);
    for (bool isSharp : {false, true}) {
      if (isSharp && (!isRagged || form.bounds != KeyBounds::Causal))
        continue;
      form.isSharp = isSharp;
      form.seed = ++cases;
      SCOPED_TRACE(form.describe());
      attention.make(form);
      expectRight(on, attention);
    }
  }
  void TearDown() override { expectNoFault(on); }

  StreamContext on;
  PagedAttention attention{on};
  uint64_t cases = 0;
};

TEST_P(CudaAttentionGridTest, EveryCase) {
  for (int64_t batch : {1, 2, 6, 64})
    for (int64_t tokens : {1, 2, 4})
      for (int64_t mean : {20, 140, 4096})
        for (int64_t heads : {1, 3, 9, 63, 64, 126, 128})
          for (bool isRagged : {false, true})
            for (KeyBounds bounds : {KeyBounds::Causal, KeyBounds::All}) {
              Random random(cases);
              AttentionForm form;
              form.heads = heads;
              form.bounds = bounds;
              form.lengths =
                  isRagged ? normalLengths(random, batch,
                                           static_cast<double>(mean), tokens)
                           : std::vector<int64_t>(batch, mean);
              compare(form, tokens, isRagged);
              if (HasFailure())
                return;
            }
}

TEST_P(CudaAttentionGridTest, EmptySequences) {
  for (int64_t tokens : {1, 2})
    for (KeyBounds bounds : {KeyBounds::Causal, KeyBounds::All}) {
      Random random(tokens);
      AttentionForm form;
      form.bounds = bounds;
      form.lengths = normalLengths(random, 128, 4096, tokens);
      for (size_t b = 0; b < form.lengths.size(); b += 3)
        form.lengths[b] = 0;
      compare(form, tokens, true);
    }
}

INSTANTIATE_TEST_SUITE_P(Large, CudaAttentionGridTest,
                         testing::Values(std::pair(MLA_DTYPE_BF16, int64_t{64}),
                                         std::pair(MLA_DTYPE_F16, int64_t{64}),
                                         std::pair(MLA_DTYPE_BF16, int64_t{0}),
                                         std::pair(MLA_DTYPE_F16, int64_t{0})),
                         [](const auto &info) {
                           return std::string(
                                      mla_dtype_name(info.param.first)) +
                                  "_" + std::to_string(info.param.second);
                         });

/// A call that is done, with some keys far ahead of the others.
class CudaAttentionReferenceTest : public testing::Test {
protected:
  void make(AttentionForm form) {
    form.isSharp = true;
    form.heads = 5;
    form.lengths = {70, 0, 300};
    form.tokens = {2, 1, 3};
    form.padding = 1;
    attention.make(form);
    ASSERT_EQ(attention.run(on.ctx), MLA_STATUS_OK) << on.ctx.error();
  }

  StreamContext on;
  PagedAttention attention{on};
};

TEST_F(CudaAttentionReferenceTest, IsTheOneOnTheCpu) {
  AttentionForm forms[3];
  forms[0].hasSinks = true;
  forms[1].bounds = KeyBounds::Random;
  forms[1].rows = CacheRows::Gapped;
  forms[2].topk = 90;
  forms[2].peWidth = 0;
  for (AttentionForm &form : forms) {
    form.outDtype = MLA_DTYPE_F32;
    SCOPED_TRACE(form.describe());
    make(form);
    reference::AbsorbedAttention formula;
    const mla_absorbed_attention_params &params = attention.params;
    formula.query = download(params.query);
    formula.latent = download(params.cache_latent);
    formula.pe = download(params.cache_pe);
    formula.pageTable = download(params.page_table);
    formula.kvLens = download(params.kv_lens);
    formula.cuQ = download(params.cu_q);
    formula.kvBounds = download(params.kv_bounds);
    formula.sinks = download(params.sinks);
    formula.indices = download(params.indices);
    formula.softmaxScale = params.softmax_scale;
    reference::State expected = formula.compute();
    upload(params.o, expected.o);
    upload(params.lse, expected.lse);
    AttentionDifference difference = attention.difference();
    EXPECT_EQ(difference.rows, 35u);
    EXPECT_TRUE(difference.isWithin()) << difference.describe();
    // Nothing but what f32 can't hold.
    EXPECT_LT(difference.worst, 1e-7);
    EXPECT_LT(difference.cosine(), 1e-12);
  }
}

TEST_F(CudaAttentionReferenceTest, TheComparisonSeesEachFault) {
  AttentionForm form;
  make(form);
  EXPECT_TRUE(attention.difference().isWithin());
  AttentionDifference difference = attention.difference(1.02);
  EXPECT_GT(difference.wrong, 0u) << difference.describe();
  EXPECT_GT(difference.wrongLse, 0u) << difference.describe();
  // The same of what all rows are made of: a key less, two pages exchanged,
  // the positional part left out.
  auto expectSeen = [&](const char *what) {
    SCOPED_TRACE(what);
    AttentionDifference difference = attention.difference();
    EXPECT_FALSE(difference.isWithin());
    EXPECT_GT(difference.wrong, 0u) << difference.describe();
  };
  attention.setLengths({70, 0, 299});
  expectSeen("a key less");
  attention.setLengths({70, 0, 300});
  EXPECT_TRUE(attention.difference().isWithin());
  reference::Array table = download(attention.params.page_table), other = table;
  std::swap(other.at(0, 0), other.at(2, 0));
  upload(attention.params.page_table, other);
  expectSeen("pages exchanged");
  upload(attention.params.page_table, table);
  const mla_tensor *pe = std::exchange(attention.params.cache_pe, nullptr);
  expectSeen("without the positional part");
  attention.params.cache_pe = pe;
  // An element alone, and an lse.
  reference::Array o = download(attention.params.o), wrong = o;
  wrong.at(3, 2, 511) += 0.01;
  upload(attention.params.o, wrong);
  difference = attention.difference();
  EXPECT_EQ(difference.wrong, 1u);
  EXPECT_EQ(difference.firstWrong, 3u * 5 + 2);
  wrong.at(3, 2, 511) = std::nan("");
  upload(attention.params.o, wrong);
  EXPECT_EQ(attention.difference().wrong, 1u);
  upload(attention.params.o, o);
  reference::Array lse = download(attention.params.lse);
  lse.at(0, 4) *= 1.0002;
  upload(attention.params.lse, lse);
  difference = attention.difference();
  EXPECT_EQ(difference.wrong, 0u);
  EXPECT_EQ(difference.wrongLse, 1u);
  // A byte beside them.
  EXPECT_EQ(attention.damage(), 0);
  expectCuda(cudaMemset(addressOf(*attention.params.o) - 1, 0, 1));
  expectCuda(cudaDeviceSynchronize());
  EXPECT_EQ(attention.damage(), 1);
}

} // namespace
