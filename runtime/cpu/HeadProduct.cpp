//===- HeadProduct.cpp - Per-head products with a weight, on the CPU ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A weight is read once for all tokens of a task, which are most often all
// there are. For few tokens (a decode step) its rows go from where they lie to
// registers, if their type allows; for many it is brought to f32, and
// transposed where it has to be, as a whole, and tiles of tokens are multiplied
// with it.
//
//===----------------------------------------------------------------------===//

#include "HeadProduct.h"

#include "Rows.h"
#include "Threads.h"
#include "simd/Dispatch.h"

using namespace mla;
using namespace mla::cpu;

namespace {

const int64_t tileTokens = 64;
const int64_t stripRows = 32; // Of a weight.

class HeadProduct {
public:
  HeadProduct(const View &x, const View &w, const View &out, bool transposed)
      : x(x), w(w), out(out), transposed(transposed), inner(x.width()),
        outer(out.width()),
        few(out.dim(0) <= std::min(simd().fewRows, tileTokens)) {}

  int64_t scratchSize() const {
    return wholeFloats() + stripRows * weightStride() +
           tileTokens * (leadingDim(inner) + leadingDim(outer));
  }

  /// Tokens [begin, end) of head `h`; all of them where there are few.
  void run(float *block, int64_t h, int64_t begin, int64_t end) const {
    float *whole = block;
    float *strip = whole + wholeFloats();
    float *in = strip + stripRows * weightStride();
    float *result = in + tileTokens * leadingDim(inner);
    if (!few)
      loadWeight(h, whole, strip);
    for (int64_t t = begin; t < end; t += tileTokens) {
      int64_t count = std::min(tileTokens, end - t);
      loadTokens(h, t, count, in);
      if (few)
        multiplyFew(h, count, in, whole, strip, result);
      else
        simd().multiply(count, outer, inner, in, leadingDim(inner), whole,
                        leadingDim(outer), result, leadingDim(outer),
                        /*accumulate=*/false);
      for (int64_t i = 0; i < count; ++i)
        storeRow(out, out.at(t + i, h), result + i * leadingDim(outer));
    }
  }

private:
  int64_t weightStride() const { return leadingDim(w.width()); }
  /// The weight [inner, outer], or something transposed: the tokens [inner,
  /// tokens] or a part of the result [rows of a strip, tokens].
  int64_t wholeFloats() const {
    return std::max(inner, stripRows) * leadingDim(few ? tileTokens : outer);
  }

  /// The padding is 0 for the scalar products.
  void loadTokens(int64_t h, int64_t t, int64_t count, float *rows) const {
    for (int64_t i = 0; i < count; ++i) {
      float *row = rows + i * leadingDim(inner);
      loadRow(x, x.rank == 2 ? x.at(t + i) : x.at(t + i, h), row);
      std::fill(row + inner, row + leadingDim(inner), 0.0f);
    }
  }

  void loadStrip(int64_t h, int64_t first, int64_t count, float *strip) const {
    for (int64_t r = 0; r < count; ++r) {
      float *row = strip + r * weightStride();
      loadRow(w, w.at(h, first + r), row);
      std::fill(row + w.width(), row + weightStride(), 0.0f);
    }
  }

  void loadWeight(int64_t h, float *weight, float *strip) const {
    for (int64_t r = 0; r < w.dim(1); r += stripRows) {
      int64_t count = std::min(stripRows, w.dim(1) - r);
      if (!transposed) {
        loadStrip(h, r, count, weight + r * leadingDim(outer));
        continue;
      }
      loadStrip(h, r, count, strip);
      simd().transpose(count, inner, strip, weightStride(), weight + r,
                       leadingDim(outer));
    }
  }

  void multiplyFew(int64_t h, int64_t count, float *in, float *turned,
                   float *strip, float *result) const {
    const RowKernels *own = rowKernels(w);
    if (own && count > own->most)
      own = nullptr;
    const RowKernels &kernels = own ? *own : simd().f32;
    const void *rows[stripRows];
    if (!transposed) {
      simd().transpose(count, inner, in, leadingDim(inner), turned,
                       leadingDim(count));
      std::fill_n(result, count * leadingDim(outer), 0.0f);
    } else {
      for (int64_t i = 0; i < count; ++i)
        kernels.arrange(in + i * leadingDim(inner), paddedWidth(inner));
    }
    for (int64_t r = 0; r < w.dim(1); r += stripRows) {
      int64_t number = std::min(stripRows, w.dim(1) - r);
      if (!own)
        loadStrip(h, r, number, strip);
      for (int64_t i = 0; i < number; ++i)
        rows[i] = own ? static_cast<const void *>(w.at(h, r + i))
                      : strip + i * weightStride();
      if (transposed) {
        // These come out as [rows of the weight, tokens].
        kernels.dots(count, number, paddedWidth(inner), in, leadingDim(inner),
                     rows, nullptr, /*ahead=*/0, turned, leadingDim(count),
                     /*accumulate=*/false);
        simd().transpose(number, count, turned, leadingDim(count), result + r,
                         leadingDim(outer));
      } else {
        kernels.multiply(count, paddedWidth(outer), number,
                         turned + r * leadingDim(count), leadingDim(count),
                         rows, nullptr, /*ahead=*/0, result, leadingDim(outer));
      }
    }
  }

  const View &x, &w, &out;
  const bool transposed;
  const int64_t inner, outer;
  const bool few;
};

} // namespace

mla_status mla::cpu::headProduct(mla_context &ctx, const View &x, const View &w,
                                 const View &out, bool transposed) {
  if (out.numElements() == 0)
    return MLA_STATUS_OK;
  HeadProduct product(x, w, out, transposed);
  int64_t tokens = out.dim(0), heads = out.dim(1);
  // Reading a weight costs as much as some tokens do.
  int64_t threads =
      threadsFor(ctx, static_cast<double>(tokens + 8) * heads *
                          static_cast<double>(x.width() * out.width()));
  // A few tasks a thread; no more parts of the tokens than that takes.
  int64_t tiles = (tokens + tileTokens - 1) / tileTokens;
  int64_t parts = threads == 1 ? 1 : (4 * threads + heads - 1) / heads;
  int64_t tilesEach = (tiles + parts - 1) / parts;
  parts = (tiles + tilesEach - 1) / tilesEach;

  int64_t each = paddedWidth(product.scratchSize());
  float *block = scratch(ctx, floatsOf(maxThreads(ctx), each));
  if (!block)
    return ctx.status;
  parallelFor(threads, heads * parts, [&](int64_t i, int64_t thread) {
    int64_t begin = i % parts * tilesEach * tileTokens;
    int64_t end = std::min(begin + tilesEach * tileTokens, tokens);
    product.run(block + thread * each, i / parts, begin, end);
  });
  return MLA_STATUS_OK;
}
