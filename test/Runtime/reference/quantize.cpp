//===- quantize.cpp - Values to fp8 and back ------------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "quantize.h"

#include "e4m3.h"

using namespace mla;
using namespace mla::reference;

double mla::reference::quantize(double x, float scale) {
  float inverse = 1.0f / scale;
  return e4m3Value(e4m3Code(static_cast<float>(x) * inverse));
}

Array mla::reference::quantize(Array x, float scale) {
  if (scale != 0)
    for (double &value : x.data)
      value = quantize(value, scale);
  return x;
}

double mla::reference::dequantize(double q, float scale) {
  return static_cast<float>(q) * scale;
}

Array mla::reference::dequantize(Array q, float scale) {
  if (scale != 0)
    for (double &value : q.data)
      value = dequantize(value, scale);
  return q;
}

Array mla::reference::dequantizeBlocks(Array q, const Array &scales) {
  for (size_t i = 0; i < q.data.size(); ++i)
    q.data[i] =
        dequantize(q.data[i], static_cast<float>(scales.data[i / scaleBlock]));
  return q;
}

float mla::reference::blockScale(const double *values, int64_t count) {
  double largest = 0;
  for (int64_t i = 0; i < count; ++i)
    if (std::isfinite(values[i]))
      largest = std::max(largest, std::fabs(values[i]));
  if (largest == 0)
    return 1;
  double exponent = std::ceil(std::log2(largest / 448));
  return static_cast<float>(std::exp2(std::max(exponent, -126.0)));
}
