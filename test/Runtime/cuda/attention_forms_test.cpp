//===- attention_forms_test.cpp - What Hopper's kernel takes, and not -----===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Which kernel a call is of is read off a graph of it; on other GPUs than
// Hopper's the same calls are of the general kernels.
//
//===----------------------------------------------------------------------===//

#include "AttentionChecks.h"

using namespace mla;
using namespace mla::test;

namespace {

class CudaAttentionFormsTest : public testing::Test {
protected:
  void compare(const AttentionForm &form, bool isHoppers) {
    SCOPED_TRACE(form.describe());
    attention.make(form);
    EXPECT_EQ(usesSm90(on, attention), isHoppers && isHopper());
    expectRight(on, attention);
    expectNoFault(on);
  }

  /// Sequences of up to eight new tokens, and of lengths around what blocks and
  /// pages end with; of some all that a token could see is new.
  static void drawBatch(Random &random, AttentionForm &form) {
    for (int b = 0; b < 9; ++b) {
      form.lengths.push_back(random.pick<int64_t>(
          {0, 1, 15, 63, 64, 65, 127, 128, 129, 200, 333, 700, 1023}));
      form.tokens.push_back(random.integer(0, 8));
    }
    form.padding = random.integer(0, 2);
  }

  StreamContext on;
  PagedAttention attention{on};
};

// A little of everything, for who can take no more.
TEST_F(CudaAttentionFormsTest, AFewOfThem) {
  AttentionForm forms[4];
  forms[0].heads = 20;
  forms[1].latentWidth = 256;
  forms[1].peWidth = 32;
  forms[1].pageSize = 16;
  forms[1].dtype = forms[1].outDtype = MLA_DTYPE_F16;
  forms[1].rows = CacheRows::Apart;
  forms[1].hasSinks = true;
  forms[2].peWidth = 0;
  forms[2].pageSize = 32;
  forms[2].rows = CacheRows::Gapped;
  forms[2].bounds = KeyBounds::Random;
  forms[2].hasSchedule = false;
  forms[3].heads = 3;
  for (AttentionForm &form : forms) {
    form.lengths = {130, 0, 65};
    form.tokens = {2, 1, 3};
    form.padding = 1;
    form.isSharp = form.heads == 20;
    // A tile is one multiprocessor's, or two's, or several's.
    for (int32_t limit : {2, 5, 0}) {
      ASSERT_EQ(mla_context_set_sm_limit(on.ctx, limit), MLA_STATUS_OK);
      compare(form, true);
    }
  }
}

TEST_F(CudaAttentionFormsTest, LargeBatchesOfAllThatItTakes) {
  const int64_t heads[] = {20, 40, 96, 128, 16, 64, 1, 7, 100};
  uint64_t seed = 0;
  for (int64_t latentWidth : {512, 256})
    for (int64_t peWidth : {64, 32, 0})
      for (int64_t pageSize : {16, 32, 64, 128})
        for (CacheRows rows :
             {CacheRows::Together, CacheRows::Apart, CacheRows::Gapped})
          for (int again = 0; again < 4; ++again) {
            Random random(++seed);
            AttentionForm form;
            form.latentWidth = latentWidth;
            form.peWidth = peWidth;
            form.pageSize = pageSize;
            form.rows = rows;
            form.heads = heads[seed % 9];
            form.dtype = form.outDtype =
                random.pick({MLA_DTYPE_BF16, MLA_DTYPE_F16});
            form.bounds = random.pick({KeyBounds::Causal, KeyBounds::Causal,
                                       KeyBounds::All, KeyBounds::Random});
            form.hasSinks = random.chance(0.3);
            form.hasSchedule = random.chance(0.7);
            form.isSharp = random.chance(0.5);
            form.seed = seed;
            drawBatch(random, form);
            compare(form, true);
            if (HasFailure())
              return;
          }
}

struct Edge {
  const char *what;
  bool isHoppers;
  void (*change)(AttentionForm &);
};

const Edge edges[] = {
    {"pages of 192", true, [](AttentionForm &f) { f.pageSize = 192; }},
    {"pages of 96", false, [](AttentionForm &f) { f.pageSize = 96; }},
    {"pages of 48", false, [](AttentionForm &f) { f.pageSize = 48; }},
    {"pages of 8", false, [](AttentionForm &f) { f.pageSize = 8; }},
    {"pages of a row", false, [](AttentionForm &f) { f.pageSize = 1; }},
    {"R 40", true, [](AttentionForm &f) { f.peWidth = 40; }},
    {"R 8", true, [](AttentionForm &f) { f.peWidth = 8; }},
    {"R 36", false, [](AttentionForm &f) { f.peWidth = 36; }},
    {"R 72", false, [](AttentionForm &f) { f.peWidth = 72; }},
    {"L 448", false, [](AttentionForm &f) { f.latentWidth = 448; }},
    {"L 128", false, [](AttentionForm &f) { f.latentWidth = 128; }},
    {"L 576", false, [](AttentionForm &f) { f.latentWidth = 576; }},
    {"rows beside vectors", false,
     [](AttentionForm &f) { f.rows = CacheRows::Shifted; }},
    {"indices", true, [](AttentionForm &f) { f.topk = 70; }},
    {"indices, pages of 96", true,
     [](AttentionForm &f) { f.topk = 70, f.pageSize = 96; }},
    {"indices, pages of 24", true,
     [](AttentionForm &f) { f.topk = 70, f.pageSize = 24; }},
    {"indices, R 40", true,
     [](AttentionForm &f) { f.topk = 70, f.peWidth = 40; }},
    {"indices, R 36", false,
     [](AttentionForm &f) { f.topk = 70, f.peWidth = 36; }},
    {"indices, L 256", false,
     [](AttentionForm &f) { f.topk = 70, f.latentWidth = 256; }},
    {"indices, rows beside vectors", false,
     [](AttentionForm &f) { f.topk = 70, f.rows = CacheRows::Shifted; }},
    {"indices, an output in f32", false,
     [](AttentionForm &f) { f.topk = 70, f.outDtype = MLA_DTYPE_F32; }},
    {"heads of the query apart", true,
     [](AttentionForm &f) { f.headGap = 24; }},
    {"tokens of the query apart", true,
     [](AttentionForm &f) { f.tokenGap = 24; }},
    {"a query of all tokens", true,
     [](AttentionForm &f) { f.sharesQuery = true; }},
    {"heads of the query beside vectors", false,
     [](AttentionForm &f) { f.headGap = 4; }},
    {"indices, heads of the query apart", true,
     [](AttentionForm &f) { f.topk = 70, f.headGap = 24; }},
    {"indices, tokens of the query apart", true,
     [](AttentionForm &f) { f.topk = 70, f.tokenGap = 24; }},
    {"indices, heads and tokens of the query apart", true,
     [](AttentionForm &f) { f.topk = 70, f.headGap = 8, f.tokenGap = 1000; }},
    // TMA can't read these.
    {"indices, heads of the query beside vectors", false,
     [](AttentionForm &f) { f.topk = 70, f.headGap = 4; }},
    {"indices, tokens of the query beside vectors", false,
     [](AttentionForm &f) { f.topk = 70, f.tokenGap = 4; }},
    {"an output in f32", false,
     [](AttentionForm &f) { f.outDtype = MLA_DTYPE_F32; }},
    {"an output of another type", false,
     [](AttentionForm &f) { f.outDtype = MLA_DTYPE_F16; }},
    {"all in f32", false,
     [](AttentionForm &f) { f.dtype = f.outDtype = MLA_DTYPE_F32; }},
};

TEST_F(CudaAttentionFormsTest, LargeBatchesOnBothSidesOfItsEdges) {
  for (const Edge &edge : edges)
    for (bool isSharp : {false, true}) {
      SCOPED_TRACE(edge.what);
      Random random(isSharp);
      AttentionForm form;
      form.heads = isSharp ? 40 : 16;
      form.isSharp = isSharp;
      drawBatch(random, form);
      edge.change(form);
      compare(form, edge.isHoppers);
    }
}

} // namespace
