//===- ModelTable.cpp - The models that passed, in Markdown ---------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelTable.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace mla::parity {
namespace {

std::string format(const char *pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

/// "1e-6": the least power of ten that is not below a positive value.
std::string getBound(double value) {
  return value > 0 ? "1e" + format("%.0f", std::ceil(std::log10(value))) : "0";
}

/// "2e-4".
std::string show(double tolerance) {
  double power = std::floor(std::log10(tolerance));
  return format("%.0f", tolerance / std::pow(10, power)) +
         format("e%.0f", power);
}

/// Each value once, in the order of the rows: "a, b and c".
template <typename Get>
std::string list(const std::vector<Row> &rows, const Get &get) {
  std::vector<std::string> values;
  for (const Row &row : rows)
    if (std::string value = get(row);
        std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? "" : i + 1 < values.size() ? ", " : " and ") + values[i];
  return text;
}

std::string getRope(const Golden &model) {
  if (model.pe == 0)
    return "no pe part";
  if (!model.isRotated())
    return "pe not rotated";
  return model.isHalf ? "half" : "interleaved";
}

std::string getExtras(const Golden &model) {
  std::string text = model.topk ? "top-k" : "";
  if (!model.sinks.empty())
    text += text.empty() ? "sinks" : ", sinks";
  return text;
}

/// What a type's errors are held to: the least of its tolerances. A quantized
/// query has a wider one, since a sum half way between two codes may get either
/// of them.
std::map<std::string, double> getTolerances(const std::vector<Row> &rows) {
  std::map<std::string, double> tolerances;
  for (const Row &row : rows) {
    auto [found, isNew] = tolerances.emplace(row.variant.dtype, row.tolerance);
    found->second = std::min(found->second, row.tolerance);
  }
  return tolerances;
}

} // namespace

std::string getModelTable(const std::vector<Golden> &models,
                          const std::vector<Row> &rows) {
  std::map<std::string, double> tolerances = getTolerances(rows);
  // In the order in which they were asked for.
  std::vector<std::string> dtypes;
  for (const Row &row : rows)
    if (std::find(dtypes.begin(), dtypes.end(), row.variant.dtype) ==
        dtypes.end())
      dtypes.push_back(row.variant.dtype);

  std::string head = "| model | L | N | R | V | RoPE | scale | also |";
  std::string rule = "|---|---|---|---|---|---|---|---|";
  for (const std::string &dtype : dtypes) {
    head += " " + dtype + " |";
    rule += "---|";
  }
  std::string text = head + " compared |\n" + rule + "---|\n";
  for (const Golden &model : models) {
    std::map<std::string, double> errors;
    int compared = 0;
    for (const Row &row : rows) {
      if (row.model != model.name)
        continue;
      ++compared;
      if (row.tolerance == tolerances[row.variant.dtype])
        errors[row.variant.dtype] =
            std::max(errors[row.variant.dtype], row.outcome.error);
    }
    double scale =
        model.softmaxScale * std::sqrt(double(model.nope + model.pe));
    text += "| `" + model.name + "` |";
    for (int64_t size : {model.latent, model.nope, model.pe, model.value})
      text += " " + std::to_string(size) + " |";
    text += " " + getRope(model) + " | " + format("%.4g", scale) + " | " +
            getExtras(model) + " |";
    for (const std::string &dtype : dtypes)
      text += " " + getBound(errors[dtype]) + " |";
    text += " " + std::to_string(compared) + " |\n";
  }

  text +=
      "\nCompared in the forms " +
      list(rows, [](const Row &row) { return row.form; }) + "; by the plans " +
      list(rows, [](const Row &row) { return row.plan; }) +
      "; with the caches " +
      list(rows, [](const Row &row) { return row.variant.cache; }) + "; with " +
      list(rows,
           [](const Row &row) { return std::to_string(row.variant.heads); }) +
      " heads and pages of " +
      list(
          rows,
          [](const Row &row) { return std::to_string(row.variant.pageSize); }) +
      " tokens. L, N, R and V are `kv_lora_rank`, `qk_nope_head_dim`, "
      "`qk_rope_head_dim` and `v_head_dim`; *scale* is the softmax scale times "
      "the root of N+R, YaRN's "
      "factor where it isn't 1. Under a type: the power of ten that the "
      "largest error, ‖out − ref‖ / ‖ref‖, stays below";
  for (const std::string &dtype : dtypes) {
    double widest = 0;
    for (const Row &row : rows)
      if (row.variant.dtype == dtype)
        widest = std::max(widest, row.tolerance);
    if (widest > tolerances[dtype])
      text += "; with a quantized query it is " + show(widest) + " in " + dtype;
  }
  return text + ".\n";
}

} // namespace mla::parity
