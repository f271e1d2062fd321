//===- AppendTokens.cpp - mla_append over many tokens, bit for bit --------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "AppendTokens.h"

#include "ExactRows.h"

using namespace mla;
using namespace mla::test;

/// A tensor of random memory, whose rows lie in wider ones where `unit` isn't
/// 0.
static TestTensor makeRows(Random &random, uint32_t dtype, Shape shape,
                           int64_t unit) {
  int64_t width = shape.back(), before = unit * random.integer(1, 3);
  shape.back() += before + unit * random.integer(0, 3);
  TestTensor rows(dtype, shape, Layout::Dense, random);
  fillMemory(random, rows);
  return rows.columns(before, width);
}

AppendTokens::AppendTokens(Random &random, const AppendCase &form,
                           const AppendLayout &layout, int64_t distinct)
    : call(form) {
  makeFew(random, form, distinct);
  computeFew();
  for (int64_t t = 0; t < form.tokens; ++t)
    source.push_back(t < distinct ? t : random.integer(0, distinct - 1));
  makeLists(random, layout);
  makeInputs(random, layout);
  makeOutputs(random, layout);
}

void AppendTokens::makeFew(Random &random, const AppendCase &form,
                           int64_t distinct) {
  few = form;
  few.tokens = distinct;
  few.pageSize = 1;
  few.padding = -1;
  few.onePool = false;
  few.layout = Layout::Dense;
  few.build(random);
  auto isMoved = [](const TestTensor &from, const TestTensor &to) {
    return !to || to.dtype() == from.dtype();
  };
  auto fill = [&](const TestTensor &tensor, bool withAnyBits) {
    if (tensor && withAnyBits)
      fillBits(random, tensor);
    else if (tensor)
      fillExactRows(random, tensor);
  };
  fill(few.query, false);
  fill(few.qNope, few.query.dtype() == few.qNope.dtype());
  fill(few.qPe, !few.style && few.query.dtype() == few.dtype);
  fill(few.kPe,
       !few.style && isMoved(few.kPe, few.pe) && isMoved(few.kPe, few.kPeOut));
  fill(few.cKv, few.latent.dtype() == few.cKv.dtype());
  if (few.latent && few.latent.dtype() != few.cKv.dtype())
    few.cKv.forEach([&](const Shape &index) {
      const double inf = std::numeric_limits<double>::infinity();
      if (random.chance(0.02))
        few.cKv.set(index, random.pick({0.0, -0.0, inf, -inf}));
    });
  if (few.cosSin)
    fillExactTable(random, few.cosSin);
  for (int64_t t = 0; few.slots && t < distinct; ++t)
    few.slots.set({t}, static_cast<double>(t));
}

void AppendTokens::computeFew() {
  reference::AppendState state = few.state();
  reference::append(few.inputs(), few.referenceStyle(), state);
  auto typed = [](const TestTensor &like, const reference::Array &values) {
    if (!like)
      return TestTensor();
    Random unused(0);
    TestTensor result(like.dtype(), like.shape(), Layout::Dense, unused);
    result.assign(values);
    return result;
  };
  queryOfFew = typed(few.query, state.query);
  kPeOutOfFew = typed(few.kPeOut, state.kPeOut);
  latentOfFew = typed(few.latent, state.latent);
  peOfFew = typed(few.pe, state.pe);
  scalesOfFew = typed(few.cache.scales, state.scales);
  // Numbers don't say which NaN one was.
  auto move = [](const TestTensor &from, const TestTensor &to) {
    if (from && to && from.dtype() == to.dtype())
      copyElements(from, to);
  };
  TestTensor rows[] = {latentOfFew, peOfFew};
  for (TestTensor &part : rows)
    if (part) // Pages of one row each.
      part = part.rows(0, few.tokens);
  for (int64_t t = 0; t < few.tokens; ++t) {
    if (latentOfFew)
      move(few.cKv.slice(t), latentOfFew.slice(t).slice(0));
    if (peOfFew && !few.style)
      move(few.kPe.slice(t), peOfFew.slice(t).slice(0));
  }
  if (few.qNope)
    move(few.qNope, queryOfFew.columns(0, few.nope));
  if (few.qPe && !few.style)
    move(few.qPe, queryOfFew.columns(few.nope, few.peWidth));
  if (few.kPeOut && !few.style)
    move(few.kPe, kPeOutOfFew);
}

void AppendTokens::makeLists(Random &random, const AppendLayout &layout) {
  int64_t tokens = call.tokens;
  if (few.slots) {
    int64_t pages = tokens / call.pageSize + 2;
    std::vector<int64_t> rows = random.choose(tokens, pages * call.pageSize);
    call.slots = TestTensor(MLA_DTYPE_I64, {tokens}, layout.lists, random);
    for (int64_t t = 0; t < tokens; ++t)
      call.slots.set({t},
                     random.chance(0.1) ? -1.0 : static_cast<double>(rows[t]));
  }
  if (few.positions) {
    call.positions = TestTensor(random.pick({MLA_DTYPE_I32, MLA_DTYPE_I64}),
                                {tokens}, layout.lists, random);
    for (int64_t t = 0; t < tokens; ++t)
      call.positions.set({t}, few.positions.at({source[t]}));
  }
  if (call.padding < 0)
    return;
  int64_t real = tokens - call.padding;
  call.cuQ = TestTensor(MLA_DTYPE_I32, {4}, {0, real / 3, real / 2, real});
  // What padding brings along means nothing.
  for (int64_t t = real; t < tokens; ++t) {
    if (call.slots && random.chance(0.3))
      call.slots.set({t}, random.pick({-2.0, 0.0, 0x1p40}));
    if (call.positions && random.chance(0.3))
      call.positions.set({t}, random.pick({-1.0, 1e6}));
  }
}

void AppendTokens::makeInputs(Random &random, const AppendLayout &layout) {
  int64_t tokens = call.tokens, heads = call.heads, pe = call.peWidth;
  auto makeQ = [&](int64_t width, uint32_t dtype) {
    return makeRows(random, dtype, {tokens, heads, width}, layout.q);
  };
  auto makeKv = [&](int64_t width) {
    return makeRows(random, call.kvDtype ? call.kvDtype : call.dtype,
                    {tokens, width}, layout.kv);
  };
  if (layout.sliced) {
    TestTensor q = makeQ(call.nope + pe, call.dtype),
               kv = makeKv(call.latentWidth + pe);
    call.qNope = few.qNope ? q.columns(0, call.nope) : TestTensor();
    call.qPe = few.qPe ? q.columns(call.nope, pe) : TestTensor();
    call.cKv = few.cKv ? kv.columns(0, call.latentWidth) : TestTensor();
    call.kPe = few.kPe ? kv.columns(call.latentWidth, pe) : TestTensor();
  } else {
    call.qNope = few.qNope ? makeQ(call.nope, few.qNope.dtype()) : TestTensor();
    call.qPe = few.qPe ? makeQ(pe, call.dtype) : TestTensor();
    call.cKv = few.cKv ? makeKv(call.latentWidth) : TestTensor();
    call.kPe = few.kPe ? makeKv(pe) : TestTensor();
  }
  const std::pair<const TestTensor *, const TestTensor *> inputs[] = {
      {&few.qNope, &call.qNope},
      {&few.qPe, &call.qPe},
      {&few.cKv, &call.cKv},
      {&few.kPe, &call.kPe}};
  for (auto [from, to] : inputs)
    for (int64_t t = 0; *from && t < tokens; ++t)
      copyElements(from->slice(source[t]), to->slice(t));
  if (!few.cosSin)
    return;
  call.cosSin = makeRows(random, MLA_DTYPE_F32, {maxPos, pe}, layout.table);
  copyElements(few.cosSin, call.cosSin);
}

void AppendTokens::makeOutputs(Random &random, const AppendLayout &layout) {
  int64_t tokens = call.tokens, pe = call.peWidth;
  if (few.query) {
    call.query = makeRows(random, few.query.dtype(),
                          {tokens, call.heads, call.nope + pe}, layout.query);
    // In place its last columns are an input.
    if (call.style && !few.qPe)
      for (int64_t t = 0; t < tokens; ++t)
        copyElements(few.query.columns(call.nope, pe).slice(source[t]),
                     call.query.columns(call.nope, pe).slice(t));
  }
  if (few.queryScale)
    call.queryScale = makeScalar(call.queryFactor);
  if (few.kPeOut)
    call.kPeOut =
        makeRows(random, few.kPeOut.dtype(), {tokens, pe}, layout.kPeOut);
  if (!few.latent)
    return;
  CacheSpec spec;
  spec.latentWidth = call.latentWidth;
  spec.peWidth = pe;
  spec.pageSize = call.pageSize;
  spec.latentDtype = few.latent.dtype();
  spec.peDtype = call.peDtype ? call.peDtype : call.cacheDtype;
  spec.blockScales = call.blockScales;
  spec.layout = layout.cache;
  spec.latentScale = call.latentFactor;
  spec.peScale = call.peFactor;
  call.cache =
      CachePool(random, spec, tokens / call.pageSize + 2, call.onePool);
  call.latent = call.cache.latent;
  call.pe = call.cache.pe;
  for (const TestTensor *part : {&call.latent, &call.pe, &call.cache.scales})
    if (*part)
      fillMemory(random, *part);
}

bool AppendTokens::hasGoodScales() const {
  for (const TestTensor *scale :
       {&call.queryScale, &call.cache.latentScale, &call.cache.peScale})
    if (*scale && (!std::isnormal(static_cast<float>(scale->at({}))) ||
                   scale->at({}) < 0))
      return false;
  return true;
}

void AppendTokens::expect() {
  const std::pair<const char *, const TestTensor *> tensors[] = {
      {"c_kv", &call.cKv},
      {"k_pe", &call.kPe},
      {"q_nope", &call.qNope},
      {"q_pe", &call.qPe},
      {"slots", &call.slots},
      {"cos_sin", &call.cosSin},
      {"positions", &call.positions},
      {"cu_q", &call.cuQ},
      {"query_scale", &call.queryScale},
      {"latent_scale", &call.cache.latentScale},
      {"pe_scale", &call.cache.peScale},
      {"query", &call.query},
      {"k_pe_out", &call.kPeOut},
      {"cache_latent", &call.latent},
      {"cache_pe", &call.pe},
      {"cache_scales", &call.cache.scales}};
  for (auto [name, tensor] : tensors)
    image.watch(name, *tensor);
  double real = call.cuQ ? call.cuQ.at({call.cuQ.dim(0) - 1})
                         : static_cast<double>(call.tokens);
  bool isGood = hasGoodScales();
  for (int64_t t = 0; t < call.tokens; ++t) {
    double position = call.positions ? call.positions.at({t}) : 0;
    bool isCleared = !isGood || static_cast<double>(t) >= real ||
                     position < 0 || position >= maxPos;
    expectQuery(t, isCleared);
    expectKey(t, isCleared);
  }
}

void AppendTokens::expectQuery(int64_t token, bool isCleared) {
  if (!call.query)
    return;
  TestTensor to = call.query.slice(token);
  if (isCleared)
    return image.zero(to);
  TestTensor from = queryOfFew.slice(source[token]);
  auto put = [&](int64_t begin, int64_t count) {
    image.put(from.columns(begin, count), to.columns(begin, count));
  };
  if (call.qNope)
    put(0, call.nope);
  if (call.peWidth > 0 && (call.qPe || call.style))
    put(call.nope, call.peWidth);
}

void AppendTokens::expectKey(int64_t token, bool isCleared) {
  if (call.kPeOut && isCleared)
    image.zero(call.kPeOut.slice(token));
  if (isCleared)
    return;
  if (call.kPeOut)
    image.put(kPeOutOfFew.slice(source[token]), call.kPeOut.slice(token));
  if (!call.latent)
    return;
  double slot = call.slots.at({token});
  if (slot < 0 ||
      slot >= static_cast<double>(call.latent.dim(0) * call.pageSize))
    return;
  int64_t page = static_cast<int64_t>(slot) / call.pageSize;
  int64_t line = static_cast<int64_t>(slot) % call.pageSize;
  const std::pair<const TestTensor *, const TestTensor *> parts[] = {
      {&latentOfFew, &call.latent},
      {&peOfFew, &call.pe},
      {&scalesOfFew, &call.cache.scales}};
  for (auto [from, to] : parts)
    if (*to)
      image.put(from->slice(source[token]).slice(0),
                to->slice(page).slice(line));
}

std::string AppendTokens::describe() const {
  return std::to_string(call.tokens) + " tokens of " +
         std::to_string(few.tokens) + ", style " + std::to_string(call.style) +
         ", padding " + std::to_string(call.padding) + ", rounding " +
         std::to_string(call.rounding) + ", c_kv " + call.cKv.describe() +
         ", k_pe " + call.kPe.describe() + ", q_nope " + call.qNope.describe() +
         ", q_pe " + call.qPe.describe() + ", query " + call.query.describe() +
         ", k_pe_out " + call.kPeOut.describe() + ", table " +
         call.cosSin.describe() + ", latent " + call.latent.describe() +
         ", pe " + call.pe.describe() + ", scales " +
         call.cache.scales.describe();
}
