//===- AbsorbedForm.cpp - Attention over the latent cache -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormBuilder.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mla;
using namespace mla::detail;

Value mla::detail::attendAbsorbed(FormBuilder &form, const Part &part,
                                  Value query, Value cache, Value out) {
  AttentionOp op = form.op;
  Value o = form.createEmpty({form.getTokens(part), form.heads,
                              form.host.constant(form.widths.latent)},
                             form.getInputType());
  auto attention = AbsorbedAttentionOp::create(
      form.rewriter, form.loc, o.getType(), query, cache,
      form.sliceSequences(part, op.getPageTable()),
      form.sliceSequences(part, op.getKvLens()), form.sliceCuQ(part),
      /*kv_bounds=*/Value(), /*schedule=*/Value(), op.getQueryScale(),
      op.getLatentScale(), op.getPeScale(), op.getSinks(),
      form.sliceTokens(part, op.getIndices()), op.getMaxKv(), o,
      /*lse=*/Value(), op.getSoftmaxScaleAttr());
  Value weights = form.getValueWeights();
  Value rows = form.sliceTokens(part, out);
  auto project =
      ProjectVOp::create(form.rewriter, form.loc, rows.getType(),
                         attention.getNamedResult("o"), weights, rows);
  return form.replaceSlice(rows, project->getResult(0), out);
}

/// Absorbs W_UK into the query and appends; returns the query and the cache.
static std::pair<Value, Value> createQuery(FormBuilder &form) {
  AttentionOp op = form.op;
  int64_t pe = form.widths.pe;
  OpFoldResult latent = form.host.constant(form.widths.latent);
  OpFoldResult width = form.host.constant(form.widths.latent + pe);
  bool quantize = static_cast<bool>(op.getQueryScale());

  Value qNope = form.getQNope();
  Value weights = form.getKeyWeights();
  // One buffer for the whole query, its latent columns written by absorb_q; a
  // quantized query can't be written before it is complete.
  bool widen = pe != 0 && !quantize;
  Value query = form.createEmpty(
      {form.tokens, form.heads, widen ? width : latent}, form.getInputType());
  Value init =
      widen ? form.sliceColumns(query, 2, 0, {form.tokens, form.heads, latent})
            : query;
  Value absorbed = AbsorbQOp::create(form.rewriter, form.loc, init.getType(),
                                     qNope, weights, init)
                       ->getResult(0);
  query = form.replaceSlice(init, absorbed, query);
  // Where the query is neither widened nor quantized, absorb_q has completed
  // it.
  if (!quantize && pe == 0)
    return {query, form.createAppend({}).second};
  if (quantize)
    query = form.createEmpty({form.tokens, form.heads, width},
                             getElementTypeOrSelf(op.getCache()));
  return form.createAppend(
      {quantize ? absorbed : Value(), form.getQPe(), query});
}

void mla::detail::buildAbsorbedForm(FormBuilder &form) {
  form.createSlotMapping();
  auto [query, cache] = createQuery(form);
  Value out = attendAbsorbed(form, Part(), query, cache, form.op.getOut());
  form.rewriter.replaceOp(form.op, ValueRange{out, cache});
}
