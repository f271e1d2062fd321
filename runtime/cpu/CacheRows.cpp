//===- CacheRows.cpp - Rows of a cache of any format to and from f32 ------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CacheRows.h"

#include "Convert.h"
#include "Rows.h"

#include <algorithm>
#include <cmath>

using namespace mla;
using namespace mla::cpu;

bool mla::cpu::loadScale(mla_context &ctx, const char *op, const char *name,
                         const mla_tensor *tensor, float &value) {
  if (!tensor)
    return true;
  float scale = floatAt(View(tensor));
  if (!std::isnormal(scale) || scale < 0) {
    recordBadScale(ctx, op, name, scale);
    return false;
  }
  value = scale;
  return true;
}

float mla::cpu::blockScale(const float *values, int64_t count) {
  const uint32_t infinity = 0x7f800000u;
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    // The bits of positive numbers are in the numbers' order.
    uint32_t magnitude = bitsOf(values[i]) & 0x7fffffffu;
    largest = std::max(largest, magnitude < infinity ? magnitude : 0u);
  }
  if (largest == 0)
    return 1.0f;
  // 448 = 1.75 * 2^8: the exponent's difference, and one more for a mantissa
  // beyond 1.75. In terms of the biased exponent, of which 1 is the least.
  uint32_t exponent = largest >> 23;
  exponent += (largest & 0x7fffffu) > 0x600000u;
  return floatOf((std::max(exponent, 9u) - 8) << 23);
}

void CacheRows::loadLatent(int64_t page, int64_t line, float *out) const {
  loadRow(latent, latent.at(page, line), out);
  if (latent.dtype != MLA_DTYPE_F8E4M3FN)
    return;
  if (!scales)
    return scaleRow(out, latent.width(), latentScale);
  for (int64_t i = 0; i < scales.width(); ++i)
    scaleRow(out + i * scaleBlock, scaleBlock, floatAt(scales, page, line, i));
}

void CacheRows::loadPe(int64_t page, int64_t line, float *out) const {
  loadRow(pe, pe.at(page, line), out);
  if (pe.dtype == MLA_DTYPE_F8E4M3FN)
    scaleRow(out, pe.width(), peScale);
}

void CacheRows::storeLatent(int64_t page, int64_t line, float *in) const {
  if (latent.dtype == MLA_DTYPE_F8E4M3FN && !scales)
    scaleRow(in, latent.width(), 1.0f / latentScale);
  for (int64_t i = 0; i < scales.width(); ++i) {
    float scale = blockScale(in + i * scaleBlock, scaleBlock);
    floatAt(scales, page, line, i) = scale;
    scaleRow(in + i * scaleBlock, scaleBlock, 1.0f / scale);
  }
  storeRow(latent, latent.at(page, line), in);
}

void CacheRows::storePe(int64_t page, int64_t line, float *in) const {
  if (pe.dtype == MLA_DTYPE_F8E4M3FN)
    scaleRow(in, pe.width(), 1.0f / peScale);
  storeRow(pe, pe.at(page, line), in);
}
