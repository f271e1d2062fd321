//===- OtherCases.cpp - Calls of what only maps, moves or multiplies ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "OpCase.h"
#include "PagedBatch.h"
#include "TestContext.h"

using namespace mla;
using namespace mla::test;

namespace {

TestTensor make(Random &random, uint32_t dtype, Shape shape) {
  TestTensor tensor(dtype, std::move(shape), Layout::Gapped, random);
  tensor.fillRandom(random);
  return tensor;
}

/// Inputs that may hold any numbers.
using Inputs = std::vector<TestTensor>;

void changeAll(Inputs &inputs, Random &random) {
  for (const TestTensor &input : inputs)
    input.fillRandom(random);
}

template <typename Params>
void add(OpCases &cases, const char *name, const Params &params,
         mla_status (*function)(mla_context *, const Params *), Inputs inputs,
         std::vector<TestTensor> outputs) {
  cases.push_back(makeOpCase<Params, Inputs>(
      name, params, function, std::make_shared<Inputs>(std::move(inputs)),
      std::move(outputs), changeAll));
}

void addProducts(OpCases &cases, Random &random, uint32_t dtype) {
  const int64_t tokens = 5, heads = 4, nope = 128, value = 128, latent = 512;
  TestTensor q = make(random, dtype, {tokens, heads, nope + 64});
  TestTensor w = make(random, dtype, {heads, nope, latent});
  TestTensor query = make(random, dtype, {tokens, heads, latent + 64});
  TestTensor qNope = q.columns(0, nope), absorbed = query.columns(0, latent);
  auto absorb = makeParams<mla_absorb_q_params>();
  absorb.q_nope = qNope.get();
  absorb.w_uk = w.get();
  absorb.query = absorbed.get();
  add(cases, "absorb_q", absorb, ::mla_absorb_q, {qNope, w}, {absorbed});

  TestTensor o = make(random, dtype, {tokens, heads, latent});
  TestTensor out = make(random, dtype, {tokens, heads, value});
  auto project = makeParams<mla_project_v_params>();
  project.o_latent = o.get();
  project.w_uv = w.get();
  project.out = out.get();
  add(cases, "project_v", project, ::mla_project_v, {o, w}, {out});

  TestTensor cKv = make(random, dtype, {37, latent});
  TestTensor wKvB = make(random, dtype, {heads, nope + value, latent});
  TestTensor kv = make(random, dtype, {37, heads, nope + value});
  auto expand = makeParams<mla_expand_kv_params>();
  expand.c_kv = cKv.get();
  expand.w_kv_b = wKvB.get();
  expand.kv = kv.get();
  add(cases, "expand_kv", expand, ::mla_expand_kv, {cKv, wKvB}, {kv});
}

/// Tokens to be placed, and the lengths that the pages have room for.
struct Placement {
  TestTensor kvLens, cuQ, pageTable;
};

void addSlotMapping(OpCases &cases, Random &random) {
  auto c = std::make_shared<Placement>();
  c->kvLens = TestTensor(MLA_DTYPE_I32, {3}, {40, 0, 17});
  c->cuQ = TestTensor(MLA_DTYPE_I32, {4}, {0, 4, 4, 5});
  c->pageTable = TestTensor(MLA_DTYPE_I32, {3, 5}, random.choose(15, 20));
  auto output = [&](uint32_t dtype, int64_t size) {
    return TestTensor(dtype, {size}, Layout::Gapped, random);
  };
  TestTensor positions = output(MLA_DTYPE_I64, 7);
  TestTensor slots = output(MLA_DTYPE_I64, 7);
  TestTensor lens = output(MLA_DTYPE_I32, 3);
  TestTensor bounds = output(MLA_DTYPE_I32, 7);
  auto params = makeParams<mla_slot_mapping_params>();
  params.kv_lens = c->kvLens.get();
  params.cu_q = c->cuQ.get();
  params.page_table = c->pageTable.get();
  params.positions = positions.get();
  params.slots = slots.get();
  params.local_kv_lens = lens.get();
  params.kv_bounds = bounds.get();
  params.page_size = 8;
  params.cp_rank = 1;
  params.cp_size = 2;
  params.cp_interleave = 3;
  auto change = [](Placement &c, Random &random) {
    int64_t next = 0;
    for (int64_t b = 0; b < 3; ++b) {
      int64_t length = random.integer(0, 40);
      next += random.integer(0, std::min(length, 7 - next));
      c.kvLens.set({b}, static_cast<double>(length));
      c.cuQ.set({b + 1}, static_cast<double>(next));
      for (int64_t i = 0; i < 5; ++i)
        c.pageTable.set({b, i}, static_cast<double>(random.integer(0, 90)));
    }
  };
  cases.push_back(makeOpCase<mla_slot_mapping_params, Placement>(
      "slot_mapping", params, ::mla_slot_mapping, c,
      {positions, slots, lens, bounds}, change));
}

struct Rotation {
  TestTensor x, positions;
};

void addRope(OpCases &cases, Random &random) {
  auto c = std::make_shared<Rotation>();
  c->x = make(random, MLA_DTYPE_BF16, {9, 3, 64});
  c->positions = TestTensor(MLA_DTYPE_I32, {9}, random.choose(9, 50));
  TestTensor table = make(random, MLA_DTYPE_F32, {50, 64});
  TestTensor y = make(random, MLA_DTYPE_F32, {9, 3, 64});
  auto params = makeParams<mla_rope_params>();
  params.x = c->x.get();
  params.cos_sin = table.get();
  params.positions = c->positions.get();
  params.y = y.get();
  params.rope_style = MLA_ROPE_HALF;
  auto change = [table](Rotation &c, Random &random) {
    c.x.fillRandom(random);
    table.fillRandom(random);
    c.positions.forEach([&](const Shape &index) {
      c.positions.set(index, static_cast<double>(random.integer(0, 49)));
    });
  };
  cases.push_back(makeOpCase<mla_rope_params, Rotation>(
      "rope", params, ::mla_rope, c, {y}, change));
}

} // namespace

OpCases mla::test::otherCases(uint64_t seed) {
  Random random(seed);
  OpCases cases;
  addSlotMapping(cases, random);
  addRope(cases, random);
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F32})
    addProducts(cases, random, dtype);

  auto merge = makeParams<mla_merge_states_params>();
  TestTensor states = make(random, MLA_DTYPE_BF16, {3, 5, 4, 128});
  TestTensor lses = make(random, MLA_DTYPE_F32, {3, 5, 4});
  TestTensor o = make(random, MLA_DTYPE_F32, {5, 4, 128});
  TestTensor lse = make(random, MLA_DTYPE_F32, {5, 4});
  merge.o_states = states.get();
  merge.lse_states = lses.get();
  merge.o = o.get();
  merge.lse = lse.get();
  // The accumulator is an input too.
  add(cases, "merge_states", merge, ::mla_merge_states, {states, lses, o, lse},
      {});

  auto copy = makeParams<mla_copy_params>();
  TestTensor src = make(random, MLA_DTYPE_F32, {6, 7, 9});
  TestTensor dst = make(random, MLA_DTYPE_BF16, {6, 7, 9});
  copy.src = src.get();
  copy.dst = dst.get();
  add(cases, "copy", copy, ::mla_copy, {src}, {dst});

  auto fill = makeParams<mla_fill_params>();
  TestTensor filled = make(random, MLA_DTYPE_F16, {6, 7, 9});
  fill.dst = filled.get();
  fill.value = 1.5;
  add(cases, "fill", fill, ::mla_fill, {}, {filled});
  return cases;
}

OpCases mla::test::everyCase(uint64_t seed) {
  OpCases cases = appendCases(seed);
  for (auto *others : {attentionCases, otherCases})
    for (std::unique_ptr<OpCase> &c : others(seed))
      cases.push_back(std::move(c));
  return cases;
}
