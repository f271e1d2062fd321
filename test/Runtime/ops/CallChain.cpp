//===- CallChain.cpp - Calls of which each needs the one before -----------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CallChain.h"

#include "TestContext.h"

using namespace mla;
using namespace mla::test;

static const int64_t width = 512, nope = 128, peWidth = 64, pageSize = 64;

CallChain::CallChain(Random &random, int64_t tokens, int64_t heads)
    : tokens(tokens) {
  auto make = [&](uint32_t dtype, Shape shape) {
    return TestTensor(dtype, std::move(shape), Layout::Dense, random);
  };
  int64_t pages = (tokens + pageSize - 1) / pageSize;
  kv = make(MLA_DTYPE_BF16, {tokens, width + peWidth});
  positions = make(MLA_DTYPE_I32, {tokens});
  query = make(MLA_DTYPE_BF16, {tokens, heads, nope + peWidth});
  query.forEach([&](const Shape &index) {
    query.set(index, static_cast<double>(random.integer(-9, 9)));
  });
  queryBefore = make(MLA_DTYPE_BF16, query.shape());
  queryBefore.assign(query.array());
  // Position 0 leaves a pair as it is, position 1 turns it by 90 degrees.
  table = make(MLA_DTYPE_F32, {2, peWidth});
  table.forEach([&](const Shape &index) {
    bool isCosine = index[1] < peWidth / 2;
    table.set(index, isCosine == (index[0] == 0) ? 1 : 0);
  });
  pool = make(MLA_DTYPE_BF16, {pages, pageSize, width + peWidth});
  // Token t is key t of the one sequence.
  std::vector<int64_t> physical = random.choose(pages, pages), rows;
  for (int64_t t = 0; t < tokens; ++t)
    rows.push_back(physical[t / pageSize] * pageSize + t % pageSize);
  pageTable = TestTensor(MLA_DTYPE_I32, {1, pages}, physical);
  kvLens = TestTensor(MLA_DTYPE_I32, {1}, {tokens});
  slots = TestTensor(MLA_DTYPE_I64, {tokens}, rows);
  all.reserve(rounds);
  for (int64_t i = 0; i < rounds; ++i)
    all.push_back(makeRound(random, i));
}

CallChain::Round CallChain::makeRound(Random &random, int64_t index) {
  Round round;
  round.cKv =
      TestTensor(MLA_DTYPE_BF16, {tokens, width}, Layout::Dense, random);
  round.kPe =
      TestTensor(MLA_DTYPE_BF16, {tokens, peWidth}, Layout::Dense, random);
  TestTensor latents = kv.columns(0, width), keys = kv.columns(width, peWidth);
  TestTensor latent = pool.columns(0, width), pe = pool.columns(width, peWidth);
  round.fillKv = makeParams<mla_fill_params>();
  round.fillKv.dst = kv.get();
  round.fillKv.value = static_cast<double>(index + 1);
  round.fillPositions = makeParams<mla_fill_params>();
  round.fillPositions.dst = positions.get();
  round.fillPositions.value = static_cast<double>(index % 2);
  round.append = makeParams<mla_append_params>();
  round.append.c_kv = latents.get();
  round.append.k_pe = keys.get();
  round.append.slots = slots.get();
  round.append.cos_sin = table.get();
  round.append.positions = positions.get();
  round.append.query = query.get();
  round.append.cache_latent = latent.get();
  round.append.cache_pe = pe.get();
  round.append.rope_style = MLA_ROPE_INTERLEAVED;
  round.append.rope_head_dim = peWidth;
  round.gather = makeParams<mla_gather_kv_params>();
  round.gather.cache_latent = latent.get();
  round.gather.cache_pe = pe.get();
  round.gather.page_table = pageTable.get();
  round.gather.kv_lens = kvLens.get();
  round.gather.c_kv = round.cKv.get();
  round.gather.k_pe = round.kPe.get();
  round.gather.window_length = tokens;
  copies.take(round.fillKv);
  copies.take(round.fillPositions);
  copies.take(round.append);
  copies.take(round.gather);
  return round;
}

mla_status CallChain::enqueue(mla_context *ctx, const Aside *aside) const {
  for (const Round &round : all) {
    if (aside)
      aside->fork();
    mla_status status = ::mla_fill(ctx, &round.fillKv);
    if (status == MLA_STATUS_OK)
      status = ::mla_fill(aside ? aside->ctx : ctx, &round.fillPositions);
    if (aside)
      aside->join();
    if (status == MLA_STATUS_OK)
      status = ::mla_append(ctx, &round.append);
    if (status == MLA_STATUS_OK)
      status = ::mla_gather_kv(ctx, &round.gather);
    if (status != MLA_STATUS_OK)
      return status;
  }
  return MLA_STATUS_OK;
}

std::string CallChain::difference(int64_t times) const {
  int64_t wrong = 0;
  std::string text;
  for (int64_t i = 0; i < rounds; ++i) {
    auto value = static_cast<double>(i + 1);
    wrong = 0;
    all[i].cKv.forEach(
        [&](const Shape &index) { wrong += all[i].cKv.at(index) != value; });
    all[i].kPe.forEach([&](const Shape &index) {
      bool isNegative = i % 2 == 1 && index[1] % 2 == 0;
      wrong += all[i].kPe.at(index) != (isNegative ? -value : value);
    });
    if (wrong > 0)
      text += "round " + std::to_string(i) + ": " + std::to_string(wrong) +
              " wrong elements gathered; ";
  }
  int64_t quarters = rounds / 2 * times;
  wrong = 0;
  query.forEach([&](const Shape &index) {
    double expected = queryBefore.at(index);
    if (index[2] >= nope) {
      bool isFirst = index[2] % 2 == 0;
      Shape other = {index[0], index[1], index[2] + (isFirst ? 1 : -1)};
      // (a, b), (-b, a), (-a, -b), (b, -a)
      bool swaps = quarters % 2 == 1;
      bool negates = isFirst ? quarters % 4 == 1 || quarters % 4 == 2
                             : quarters % 4 == 2 || quarters % 4 == 3;
      expected = swaps ? queryBefore.at(other) : expected;
      expected = negates ? -expected : expected;
    }
    wrong += query.at(index) != expected;
  });
  if (wrong > 0)
    text += std::to_string(wrong) + " wrong elements of the query; ";
  return text;
}
