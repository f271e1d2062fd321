//===- Reference.cpp - The attention of a golden case in float64 ----------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"

#include "Quantize.h"
#include "io/Dtype.h"
#include "mla_runtime/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mla::parity {
namespace {

std::vector<double> decode(const uint8_t *bytes, uint32_t dtype,
                           int64_t count) {
  std::vector<double> values;
  if (dtype == MLA_DTYPE_F8E4M3FN)
    for (int64_t i = 0; i < count; ++i)
      values.push_back(decodeE4M3(bytes[i]));
  else
    io::toDoubles(bytes, dtype, static_cast<uint64_t>(count), values);
  return values;
}

} // namespace

Reference::Reference(const Golden &g, uint32_t dtype, CacheFormat format)
    : golden(g), layout{format, dtype, g.latent, g.pe},
      latentInput(dtype, {g.tokens, g.latent}, g.cKV),
      peInput(dtype, {g.tokens, g.pe}, g.kPe), latents(latentInput.toDoubles()),
      weight(HostTensor(dtype, {g.heads, g.nope + g.value, g.latent}, g.weight)
                 .toDoubles()),
      query(g, dtype, weight) {
  std::vector<double> unrotated = peInput.toDoubles();
  for (int64_t token = 0; token < g.tokens; ++token) {
    std::vector<double> row = rotate(g, unrotated.data() + token * g.pe, token);
    pe.insert(pe.end(), row.begin(), row.end());
  }
  scales.latent = getScale(getLargest(latents), 1);
  scales.pe = getScale(getLargest(pe), 1.7);
  if (format == CacheFormat::FP8Query)
    scales.query = query.quantize();
}

std::vector<uint8_t> Reference::quantizeLatent(int64_t token) const {
  const double *row = latents.data() + token * golden.latent;
  std::vector<uint8_t> bytes;
  std::vector<float> blockScales;
  int64_t block = layout.isBlock() ? kScaleBlock : golden.latent;
  for (int64_t begin = 0; begin < golden.latent; begin += block) {
    float scale = scales.latent;
    if (layout.isBlock())
      blockScales.push_back(scale = getBlockScale(getLargest(
                                {row + begin, row + begin + block})));
    for (int64_t i = begin; i < begin + block; ++i)
      bytes.push_back(quantize(row[i], scale));
  }
  const auto *data = reinterpret_cast<const uint8_t *>(blockScales.data());
  bytes.insert(bytes.end(), data, data + blockScales.size() * sizeof(float));
  return bytes;
}

std::string Reference::checkRow(int64_t token, const uint8_t *row) const {
  uint64_t size = latentInput.rowBytes();
  const uint8_t *input =
      latentInput.bytes.data() + static_cast<uint64_t>(token) * size;
  std::vector<uint8_t> expected =
      layout.isQuantized() ? quantizeLatent(token)
                           : std::vector<uint8_t>(input, input + size);
  if (!std::equal(expected.begin(), expected.end(), row))
    return "latents and scales bit for bit, got other bytes";
  return checkPe(token, row + layout.getPeOffset());
}

std::string Reference::checkPe(int64_t token, const uint8_t *row) const {
  uint32_t dtype = layout.getPeDtype();
  const double *columns = pe.data() + token * golden.pe;
  if (!golden.isRotated()) {
    std::vector<uint8_t> expected;
    for (int64_t i = 0; layout.isScaled() && i < golden.pe; ++i)
      expected.push_back(quantize(columns[i], scales.pe));
    if (!layout.isScaled())
      expected = HostTensor(dtype, {golden.pe},
                            std::vector<float>(columns, columns + golden.pe))
                     .bytes;
    return std::equal(expected.begin(), expected.end(), row)
               ? ""
               : "pe columns bit for bit, got other bytes";
  }
  // What products of f32 may be off by, and the sum of two of them.
  double slack = getLargest({columns, columns + golden.pe}) * 0x1p-21;
  double scale = layout.isScaled() ? scales.pe : 1;
  std::vector<double> stored = decode(row, dtype, golden.pe);
  for (int64_t i = 0; i < golden.pe; ++i) {
    double value = columns[i] / scale, got = stored[static_cast<size_t>(i)];
    double allowed = getSpacing(dtype, value) / 2 + slack / scale;
    if (!(std::fabs(got - value) <= allowed))
      return "pe column " + std::to_string(i) + " of " +
             std::to_string(columns[i]) + ", got " +
             std::to_string(got * scale);
  }
  return "";
}

std::vector<double> Reference::decodeRow(const uint8_t *row) const {
  std::vector<double> values =
      decode(row, layout.getLatentDtype(), golden.latent);
  for (int64_t i = 0; i < golden.latent; ++i) {
    float scale = layout.isScaled() ? scales.latent : 1;
    if (layout.isBlock())
      std::memcpy(&scale,
                  row + layout.getScalesOffset() +
                      i / kScaleBlock * int64_t(sizeof(float)),
                  sizeof(float));
    values[static_cast<size_t>(i)] *= scale;
  }
  for (double value :
       decode(row + layout.getPeOffset(), layout.getPeDtype(), golden.pe))
    values.push_back(value * (layout.isScaled() ? scales.pe : 1));
  return values;
}

std::vector<double> Reference::attendTo(const std::vector<double> &keys,
                                        int64_t token, int64_t head,
                                        const double *q) const {
  int64_t latent = golden.latent, value = golden.value;
  int64_t width = latent + golden.pe;
  // The keys that the token sees, and their logits.
  std::vector<int64_t> visible;
  for (int64_t i = 0; !golden.topk && i <= token; ++i)
    visible.push_back(i);
  for (int64_t i = 0; i < golden.topk; ++i) {
    int64_t key = golden.indices[static_cast<size_t>(token * golden.topk + i)];
    if (key >= 0 && key <= token)
      visible.push_back(key);
  }
  std::vector<double> logits;
  for (int64_t key : visible) {
    double product = 0;
    for (int64_t i = 0; i < width; ++i)
      product += q[i] * keys[static_cast<size_t>(key * width + i)];
    logits.push_back(product * golden.softmaxScale);
  }
  // A sink is one more logit, without a value.
  bool hasSink = !golden.sinks.empty();
  double sink = hasSink ? golden.sinks[static_cast<size_t>(head)] : 0;
  double largest = hasSink ? sink : -HUGE_VAL;
  for (double logit : logits)
    largest = std::max(largest, logit);
  double sum = hasSink ? std::exp(sink - largest) : 0;
  std::vector<double> attended(static_cast<size_t>(latent), 0.0);
  for (size_t i = 0; i < logits.size(); ++i) {
    double share = std::exp(logits[i] - largest);
    sum += share;
    for (int64_t l = 0; l < latent; ++l)
      attended[static_cast<size_t>(l)] +=
          share * keys[static_cast<size_t>(visible[i] * width + l)];
  }
  const double *values =
      weight.data() + (head * (golden.nope + value) + golden.nope) * latent;
  std::vector<double> out;
  for (int64_t v = 0; v < value; ++v) {
    double product = 0;
    for (int64_t l = 0; l < latent; ++l)
      product += values[v * latent + l] * attended[static_cast<size_t>(l)];
    out.push_back(logits.empty() ? 0 : product / sum);
  }
  return out;
}

std::vector<double> Reference::attendTo(const std::vector<double> &keys) const {
  std::vector<double> out;
  for (int64_t token = 0; token < golden.tokens; ++token)
    for (int64_t head = 0; head < golden.heads; ++head) {
      std::vector<double> row =
          attendTo(keys, token, head, query.getRow(token, head));
      out.insert(out.end(), row.begin(), row.end());
    }
  return out;
}

std::vector<std::vector<double>> Reference::attendRightly(int64_t token,
                                                          int64_t head) const {
  std::vector<std::vector<double>> outputs;
  for (const std::vector<double> &row : query.getRightRows(token, head))
    outputs.push_back(attendTo(lastKeys, token, head, row.data()));
  return outputs;
}

const std::vector<double> &Reference::attend(const std::vector<uint8_t> &rows) {
  if (!lastOutput.empty() && rows == lastRows)
    return lastOutput;
  std::vector<double> keys;
  for (int64_t token = 0; token < golden.tokens; ++token) {
    std::vector<double> row =
        decodeRow(rows.data() + token * layout.getRowBytes());
    keys.insert(keys.end(), row.begin(), row.end());
  }
  lastRows = rows;
  lastOutput = attendTo(keys);
  lastKeys = std::move(keys);
  return lastOutput;
}

double Reference::getSelfError(const Golden &golden) {
  Reference reference(golden, MLA_DTYPE_F32, CacheFormat::Same);
  std::vector<double> keys;
  for (int64_t token = 0; token < golden.tokens; ++token) {
    auto latent = reference.latents.begin() + token * golden.latent;
    auto pe = reference.pe.begin() + token * golden.pe;
    keys.insert(keys.end(), latent, latent + golden.latent);
    keys.insert(keys.end(), pe, pe + golden.pe);
  }
  std::vector<double> out = reference.attendTo(keys);
  double difference = 0, size = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    difference += (out[i] - golden.out[i]) * (out[i] - golden.out[i]);
    size += double(golden.out[i]) * golden.out[i];
  }
  return std::sqrt(difference / size);
}

} // namespace mla::parity
