//===- AppendCases.cpp - Calls of mla_append, in its forms ----------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendCase.h"
#include "OpCase.h"

using namespace mla;
using namespace mla::test;

static void changeAppend(AppendCase &c, Random &random) {
  for (const TestTensor *tensor : {&c.cKv, &c.kPe, &c.qNope, &c.qPe})
    if (*tensor)
      tensor->fillRandom(random);
  if (c.slots) {
    std::vector<int64_t> rows =
        random.choose(c.tokens, c.latent.dim(0) * c.pageSize);
    for (int64_t t = 0; t < c.tokens; ++t)
      c.slots.set({t}, random.chance(0.2) ? -1 : static_cast<double>(rows[t]));
  }
  if (c.positions)
    c.positions.forEach([&](const Shape &index) {
      c.positions.set(index,
                      static_cast<double>(random.integer(0, maxPos - 1)));
    });
  int64_t real = random.integer(1, c.tokens);
  if (c.cuQ) {
    c.cuQ.set({1}, static_cast<double>(real / 2));
    c.cuQ.set({2}, static_cast<double>(real));
  }
}

OpCases mla::test::appendCases(uint64_t seed) {
  Random random(seed);
  OpCases cases;
  auto add = [&](const char *name, AppendCase form) {
    auto c = std::make_shared<AppendCase>(form);
    c->build(random);
    // The rows of the cache are not poisoned: a call writes some of them. Nor
    // is the query, whose own columns a call may rotate or leave.
    std::vector<TestTensor> outputs;
    if (c->kPeOut)
      outputs.push_back(c->kPeOut);
    cases.push_back(makeOpCase<mla_append_params, AppendCase>(
        std::string("append ") + name, c->params(), ::mla_append, c, outputs,
        changeAppend));
  };
  AppendCase form;
  form.tokens = 7;
  add("f32", form);
  form.dtype = form.cacheDtype = MLA_DTYPE_BF16;
  form.latentWidth = form.nope = 512;
  form.peWidth = 64;
  form.heads = 16;
  form.withKPeOut = true;
  add("bf16", form);
  form.heads = 128;
  form.style = MLA_ROPE_HALF;
  form.rounding = MLA_ROUNDING_THROUGH_INPUT_TYPE;
  add("of 128 heads", form);
  form.heads = 3;
  form.withQuery = false;
  add("of the cache alone", form);
  form.withQuery = true;
  form.withCache = form.withKPeOut = false;
  add("of the query alone", form);
  form.withQNope = form.withQPe = false;
  add("in place", form);
  form.withCache = form.withQNope = form.withQPe = true;
  form.style = MLA_ROPE_NONE;
  add("not rotated", form);
  form.peWidth = 0;
  add("without a positional part", form);
  form.peWidth = 64;
  form.style = MLA_ROPE_INTERLEAVED;
  form.cacheDtype = form.queryDtype = MLA_DTYPE_F8E4M3FN;
  form.peDtype = MLA_DTYPE_F8E4M3FN;
  add("fp8", form);
  form.blockScales = true;
  form.queryDtype = MLA_DTYPE_NONE;
  form.peDtype = MLA_DTYPE_BF16;
  add("of block scales", form);
  return cases;
}
