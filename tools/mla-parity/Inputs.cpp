//===- Inputs.cpp - A golden case in one type and number of heads ---------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "mla_runtime/tensor.h"

#include <algorithm>

namespace mla::parity {
namespace {

constexpr int64_t kSpareTableRows = 3;

/// Head h of the result is head h modulo `heads` of `values`
/// [outer, heads, inner].
std::vector<float> replicateHeads(const std::vector<float> &values,
                                  int64_t outer, int64_t heads, int64_t inner,
                                  int64_t newHeads) {
  std::vector<float> result;
  result.reserve(static_cast<size_t>(outer * newHeads * inner));
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t head = 0; head < newHeads; ++head) {
      auto begin = values.begin() + (i * heads + head % heads) * inner;
      result.insert(result.end(), begin, begin + inner);
    }
  return result;
}

HostTensor buildTable(const Golden &golden) {
  HostTensor table(MLA_DTYPE_F32, {golden.tokens + kSpareTableRows, golden.pe});
  table.poison();
  auto *values = reinterpret_cast<float *>(table.bytes.data());
  int64_t half = golden.pe / 2;
  for (int64_t row = 0; golden.isRotated() && row < golden.tokens; ++row) {
    std::copy_n(golden.cos.begin() + row * half, half,
                values + row * golden.pe);
    std::copy_n(golden.sin.begin() + row * half, half,
                values + row * golden.pe + half);
  }
  return table;
}

} // namespace

Inputs::Inputs(const Golden &g, uint32_t dtype, int64_t heads)
    : golden(g), dtype(dtype), heads(heads),
      q(dtype, {g.tokens, heads, g.nope + g.pe},
        replicateHeads(g.q, g.tokens, g.heads, g.nope + g.pe, heads)),
      cKV(dtype, {g.tokens, g.latent}, g.cKV),
      kPe(dtype, {g.tokens, g.pe}, g.kPe),
      indices(HostTensor::fromIntegers({g.tokens, g.topk}, g.indices)),
      weight(dtype, {heads, g.nope + g.value, g.latent},
             replicateHeads(g.weight, 1, g.heads, (g.nope + g.value) * g.latent,
                            heads)),
      table(buildTable(g)) {
  if (!g.sinks.empty())
    sinks = HostTensor(MLA_DTYPE_F32, {heads},
                       replicateHeads(g.sinks, 1, g.heads, 1, heads));
}

} // namespace mla::parity
