//===- CachePool.cpp - Paged caches of every format -----------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "CachePool.h"

#include "reference/quantize.h"

using namespace mla;
using namespace mla::test;
using reference::scaleBlock;

CachePool::CachePool(Random &random, const CacheSpec &spec, int64_t pages,
                     bool onePool) {
  int64_t latentWidth = spec.latentWidth, peWidth = spec.peWidth;
  int64_t blocks = spec.blockScales ? latentWidth / scaleBlock : 0;
  if (spec.scalesLatent())
    latentScale = makeScalar(spec.latentScale);
  if (spec.scalesPe())
    peScale = makeScalar(spec.peScale);
  auto make = [&](uint32_t dtype, int64_t width) {
    return TestTensor(dtype, {pages, spec.pageSize, width}, spec.layout,
                      random);
  };
  if (onePool && spec.latentDtype == spec.peDtype) {
    TestTensor pool = make(spec.latentDtype, latentWidth + peWidth);
    latent = pool.columns(0, latentWidth);
    if (peWidth > 0)
      pe = pool.columns(latentWidth, peWidth);
    return;
  }
  if (!onePool) {
    latent = make(spec.latentDtype, latentWidth);
    if (blocks > 0)
      scales = make(MLA_DTYPE_F32, blocks);
    if (peWidth > 0)
      pe = make(spec.peDtype, peWidth);
    return;
  }
  // Parts of several types, in rows that suit the widest.
  int64_t latentBytes = latentWidth * mla_dtype_bits(spec.latentDtype) / 8;
  int64_t peBytes = peWidth * mla_dtype_bits(spec.peDtype) / 8;
  int64_t rowBytes = latentBytes + 4 * blocks + peBytes;
  int64_t gap = spec.layout == Layout::Gapped ? random.integer(0, 3) : 0;
  TestTensor pool(MLA_DTYPE_F32,
                  {pages, spec.pageSize, (rowBytes + 3) / 4 + gap},
                  Layout::Dense, random);
  latent = pool.part(spec.latentDtype, 0, latentWidth);
  if (blocks > 0)
    scales = pool.part(MLA_DTYPE_F32, latentBytes, blocks);
  if (peWidth > 0)
    pe = pool.part(spec.peDtype, latentBytes + 4 * blocks, peWidth);
}

CachePool CachePool::moved(Random &random, const CacheSpec &spec,
                           bool toOnePool) const {
  CachePool result(random, spec, latent.dim(0), toOnePool);
  const std::pair<const TestTensor *, const TestTensor *> parts[] = {
      {&latent, &result.latent}, {&pe, &result.pe}, {&scales, &result.scales}};
  for (auto [from, to] : parts)
    if (*from)
      to->assign(from->array());
  return result;
}

reference::Array CachePool::latentValues() const {
  if (scales)
    return reference::dequantizeBlocks(latent.array(), scales.array());
  return reference::dequantize(
      latent.array(), latentScale ? static_cast<float>(latentScale.at({})) : 0);
}

reference::Array CachePool::peValues() const {
  return reference::dequantize(
      pe.array(), peScale ? static_cast<float>(peScale.at({})) : 0);
}

TestTensor mla::test::makeScalar(float value) {
  Random unused(0);
  TestTensor scalar(MLA_DTYPE_F32, Shape(), Layout::Dense, unused);
  scalar.set({}, value);
  return scalar;
}

float mla::test::randomScale(Random &random) {
  return static_cast<float>(
      std::ldexp(random.real(1, 2), static_cast<int>(random.integer(-8, 2))));
}

CacheSpec mla::test::randomFp8Spec(Random &random) {
  CacheSpec spec;
  spec.latentWidth = random.pick<int64_t>({128, 256, 384, 512});
  spec.peWidth = random.pick<int64_t>({0, 32, 64});
  spec.pageSize = random.pick<int64_t>({1, 16, 64});
  spec.latentScale = randomScale(random);
  spec.peScale = randomScale(random);
  spec.latentDtype = spec.peDtype = MLA_DTYPE_F8E4M3FN;
  uint32_t wide = random.pick({MLA_DTYPE_F16, MLA_DTYPE_BF16});
  switch (random.integer(0, 4)) {
  case 0:
  case 1:
    spec.blockScales = true;
    spec.peDtype = wide;
    break;
  case 2:
    spec.peDtype = wide;
    break;
  case 3:
    if (spec.peWidth > 0)
      spec.latentDtype = wide;
    break;
  default:
    break;
  }
  return spec;
}
