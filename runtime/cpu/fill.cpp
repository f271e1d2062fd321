//===- fill.cpp - One value in every element, on the CPU ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Convert.h"
#include "Kernels.h"
#include "Rows.h"
#include "core/ElementBytes.h"

#include <cmath>

using namespace mla;
using namespace mla::cpu;

namespace {

/// The f32 that narrows to the same f16, bf16 or fp8 as `value` itself would:
/// rounded toward 0, its last bit set where anything was lost ("round to odd").
/// Plain rounding to f32 would round twice.
float roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  if (std::isnan(value) || nearest == value)
    return nearest;
  uint32_t bits = bitsOf(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value))
    --bits;
  return floatOf(bits | 1u);
}

bool encode(uint32_t dtype, double value, char (&bytes)[8]) {
  return encodeElement(
      dtype, value, bytes,
      [](double v) { return narrow<Half>(roundToOdd(v)).bits; },
      [](double v) { return narrow<BFloat16>(roundToOdd(v)).bits; },
      [](double v) { return narrow<Fp8>(roundToOdd(v)).bits; });
}

} // namespace

mla_status mla::cpu::supports_fill(mla_context &ctx,
                                   const mla_fill_params &params) {
  View dst(params.dst);
  char element[8];
  if (encode(dst.dtype, params.value, element))
    return MLA_STATUS_OK;
  return fail(ctx, MLA_STATUS_UNIMPLEMENTED,
              "mla_fill: dst: expected a type that the CPU backend converts %g "
              "to, got %s",
              params.value, mla_dtype_name(dst.dtype));
}

mla_status mla::cpu::fill(mla_context &, const mla_fill_params &params) {
  View dst(params.dst);
  char element[8] = {};
  encode(dst.dtype, params.value, element);
  int64_t count = dst.rank > 0 ? dst.width() : 1;
  forEachRow(dst, dst, [&](char *row, char *) {
    copyElements(element, 0, row, dst.step(), count, dst.elementSize);
  });
  return MLA_STATUS_OK;
}
