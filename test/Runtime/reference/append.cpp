//===- append.cpp - Rotation, cache rows and query assembly ---------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "append.h"

#include "quantize.h"

using namespace mla::reference;

/// Sets the columns of `to` [T,H,C] from `column` on to `from`, for t < tokens.
static void place(const Array &from, Array &to, int64_t column,
                  int64_t tokens) {
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t h = 0; h < to.dim(1); ++h)
      for (int64_t i = 0; i < from.width(); ++i)
        to.at(t, h, column + i) = from.at(t, h, i);
}

/// The columns of `query` from `column` on.
static Array lastColumns(const Array &query, int64_t column) {
  Array result({query.dim(0), query.dim(1), query.width() - column});
  for (int64_t t = 0; t < result.dim(0); ++t)
    for (int64_t h = 0; h < result.dim(1); ++h)
      for (int64_t i = 0; i < result.width(); ++i)
        result.at(t, h, i) = query.at(t, h, column + i);
  return result;
}

void mla::reference::append(const AppendInputs &inputs, RopeStyle style,
                            AppendState &state) {
  Array &query = state.query;
  auto rotated = [&](const Array &x) {
    Array y = rope(x, inputs.cosSin, inputs.positions, style);
    if (style != RopeStyle::None && inputs.rounding)
      for (double &value : y.data)
        value = inputs.rounding(value);
    return y;
  };
  auto realTokens = [&](const Array &x) {
    return inputs.cuQ.present() ? inputs.cuQ.integer(inputs.cuQ.dim(0) - 1)
                                : x.dim(0);
  };

  if (query.present()) {
    int64_t tokens = realTokens(query);
    if (inputs.qNope.present())
      place(quantize(inputs.qNope, inputs.queryScale), query, 0, tokens);
    if (inputs.qPe.present()) {
      place(quantize(rotated(inputs.qPe), inputs.queryScale), query,
            query.width() - inputs.qPe.width(), tokens);
    } else if (style != RopeStyle::None) {
      int64_t column = query.width() - inputs.ropeHeadDim;
      place(rotated(lastColumns(query, column)), query, column, tokens);
    }
    for (int64_t t = tokens; t < query.dim(0); ++t)
      for (int64_t h = 0; h < query.dim(1); ++h)
        for (int64_t i = 0; i < query.width(); ++i)
          query.at(t, h, i) = 0;
  }

  Array key = inputs.kPe.present() ? rotated(inputs.kPe) : Array();
  if (state.kPeOut.present())
    for (int64_t t = 0; t < key.dim(0); ++t)
      for (int64_t i = 0; i < key.width(); ++i)
        state.kPeOut.at(t, i) = t < realTokens(key) ? key.at(t, i) : 0;

  if (!state.latent.present())
    return;
  Array latent = quantize(inputs.cKv, inputs.latentScale);
  key = quantize(key, inputs.peScale);
  int64_t pageSize = state.latent.dim(1);
  for (int64_t t = 0; t < realTokens(inputs.cKv); ++t) {
    int64_t slot = inputs.slots.integer(t);
    if (slot < 0)
      continue;
    int64_t page = slot / pageSize, line = slot % pageSize;
    for (int64_t i = 0; i < latent.width(); ++i)
      state.latent.at(page, line, i) = latent.at(t, i);
    for (int64_t i = 0; i < key.width(); ++i)
      state.pe.at(page, line, i) = key.at(t, i);
    for (int64_t block = 0; block < state.scales.width(); ++block) {
      const double *values = &inputs.cKv.data[t * latent.width()];
      float scale = blockScale(values + block * scaleBlock, scaleBlock);
      state.scales.at(page, line, block) = scale;
      for (int64_t i = block * scaleBlock; i < (block + 1) * scaleBlock; ++i)
        state.latent.at(page, line, i) = quantize(values[i], scale);
    }
  }
}
