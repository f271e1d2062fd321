//===- fusion_bits_test.cpp - append's bits from rope and append ----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// An append that rotates gives the bits of a rope and an append that doesn't:
// that is what lets the compiler turn one into the other.
//
//===----------------------------------------------------------------------===//

#include "AppendCase.h"

using namespace mla;
using namespace mla::test;

namespace {

class FusionBitsTest : public OpTest {
protected:
  TestTensor rotate(const AppendCase &form, const TestTensor &x, int64_t style,
                    Random &random) {
    TestTensor y(x.dtype(), x.shape(), form.layout, random);
    auto params = makeParams<mla_rope_params>();
    params.x = x.get();
    params.y = y.get();
    params.cos_sin = form.cosSin.get();
    params.positions = form.positions.get();
    params.rope_style = style;
    EXPECT_EQ(mla_rope(ctx, &params), MLA_STATUS_OK) << ctx.error();
    return y;
  }

  /// What the outputs of `form` hold, before or after a call.
  static std::vector<reference::Array> contents(const AppendCase &form) {
    std::vector<reference::Array> result;
    for (const TestTensor *tensor :
         {&form.query, &form.kPeOut, &form.latent, &form.pe})
      result.push_back(tensor->array());
    return result;
  }

  static int64_t countDifferences(const std::vector<reference::Array> &a,
                                  const std::vector<reference::Array> &b) {
    int64_t count = 0;
    for (size_t i = 0; i < a.size(); ++i)
      for (size_t j = 0; j < a[i].data.size(); ++j)
        count += a[i].data[j] != b[i].data[j];
    return count;
  }

  /// Elements in which a rope of `style` and an append differ from the append
  /// of `form`.
  int64_t compare(AppendCase form, int64_t style, uint64_t seed) {
    Random random(seed);
    form.padding = -1; // none
    form.withKPeOut = true;
    form.build(random);
    const auto before = contents(form);
    mla_append_params fused = form.params();
    EXPECT_EQ(mla_append(ctx, &fused), MLA_STATUS_OK) << ctx.error();
    const auto expected = contents(form);
    EXPECT_GT(countDifferences(before, expected), 0);

    const TestTensor *outputs[] = {&form.query, &form.kPeOut, &form.latent,
                                   &form.pe};
    for (size_t i = 0; i < before.size(); ++i)
      outputs[i]->assign(before[i]);
    TestTensor qPe = rotate(form, form.qPe, style, random);
    TestTensor kPe = rotate(form, form.kPe, style, random);
    mla_append_params rest = form.params();
    rest.q_pe = qPe.get();
    rest.k_pe = kPe.get();
    rest.cos_sin = rest.positions = nullptr;
    rest.rope_style = MLA_ROPE_NONE;
    rest.rope_head_dim = 0;
    rest.rounding = 0;
    EXPECT_EQ(mla_append(ctx, &rest), MLA_STATUS_OK) << ctx.error();
    return countDifferences(contents(form), expected);
  }
};

AppendCase makeForm(int64_t tokens, uint32_t dtype, int64_t style,
                    Layout layout) {
  AppendCase form;
  form.tokens = tokens;
  form.heads = 5;
  form.latentWidth = 128;
  form.nope = 128;
  form.peWidth = 64;
  form.dtype = form.cacheDtype = dtype;
  form.style = style;
  form.layout = layout;
  return form;
}

TEST_F(FusionBitsTest, RopeThenAppendIsAppend) {
  uint64_t seed = 0;
  for (Layout layout : {Layout::Dense, Layout::Gapped})
    for (int64_t style : {MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF})
      for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F32})
        for (int64_t tokens : {1, 7, 200}) {
          AppendCase form = makeForm(tokens, dtype, style, layout);
          SCOPED_TRACE("seed " + std::to_string(seed));
          EXPECT_EQ(compare(form, style, seed++), 0);
        }
}

TEST_F(FusionBitsTest, SoItIsWhereAppendQuantizesTheRoundedValue) {
  uint64_t seed = 100;
  for (Layout layout : {Layout::Dense, Layout::Gapped})
    for (int64_t style : {MLA_ROPE_INTERLEAVED, MLA_ROPE_HALF})
      for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16})
        for (int64_t tokens : {1, 200}) {
          AppendCase form = makeForm(tokens, dtype, style, layout);
          form.queryDtype = form.cacheDtype = MLA_DTYPE_F8E4M3FN;
          form.queryFactor = 0.25f;
          form.latentFactor = form.peFactor = 0.5f;
          form.rounding = MLA_ROUNDING_THROUGH_INPUT_TYPE;
          SCOPED_TRACE("seed " + std::to_string(seed));
          EXPECT_EQ(compare(form, style, seed++), 0);
        }
}

TEST_F(FusionBitsTest, TheComparisonSeesAnotherPairing) {
  AppendCase form = makeForm(7, MLA_DTYPE_BF16, MLA_ROPE_HALF, Layout::Dense);
  EXPECT_GT(compare(form, MLA_ROPE_INTERLEAVED, 200), 1000);
}

} // namespace
