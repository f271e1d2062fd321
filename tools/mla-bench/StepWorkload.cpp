//===- StepWorkload.cpp - A step with its arguments -----------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepWorkload.h"

#include <algorithm>

using namespace mla;
using namespace mla::bench;

/// Keys that a token of a sparse model picks, where it sees as many.
static constexpr int64_t pickedKeys = 2048;

io::Result<Dims> StepWorkload::resolve(const io::ManifestArg &arg) const {
  Dims shape;
  for (const io::ManifestDim &dim : arg.shape) {
    auto known = sizes.find(dim.symbol);
    if (known == sizes.end())
      return io::Error{arg.name +
                       ": expected a size of a step, T, B, K, "
                       "pages, max_pos or topk, got " +
                       dim.str()};
    shape.push_back(known->second + dim.offset);
  }
  return shape;
}

/// Positions, slots and what else follows from lengths and pages.
const mla_tensor *StepWorkload::makeMetadata(const std::string &name,
                                             const Dims &shape,
                                             uint32_t dtype) {
  if (name == "page_table")
    return sequences->pageTable;
  if (name == "kv_lens" || name == "local_kv_lens")
    return sequences->kvLens;
  if (name == "cu_q")
    return sequences->cuQ;
  std::vector<int64_t> values;
  const std::vector<int64_t> slots =
      name == "slots" ? sequences->slots(c) : std::vector<int64_t>();
  for (int64_t t = 0; t < c.tokens(); ++t) {
    int64_t sequence = t / c.newTokens;
    int64_t position = c.keys - c.newTokens + t % c.newTokens;
    if (name == "positions")
      values.push_back(position);
    else if (name == "kv_bounds")
      values.push_back(position + 1);
    else if (name == "slots")
      values.push_back(
          slots[static_cast<size_t>(sequence * c.keys + position)]);
    else if (name == "indices")
      // Different keys, spread over those that the token sees.
      for (int64_t i = 0; i < shape.back(); ++i)
        values.push_back(
            i <= position
                ? i * std::max<int64_t>((position + 1) / shape.back(), 1)
                : -1);
  }
  if (values.empty() && c.tokens() > 0)
    return nullptr;
  if (dtype == MLA_DTYPE_I64)
    return operands.integers(shape, values);
  return operands.integers(shape,
                           std::vector<int32_t>(values.begin(), values.end()));
}

const mla_tensor *StepWorkload::make(const io::ManifestArg &arg) {
  io::Result<Dims> resolved = resolve(arg);
  if (!resolved) {
    reason = resolved.error();
    return nullptr;
  }
  const Dims &shape = *resolved;
  const std::string name = baseName(arg.name);
  uint32_t dtype = mla_dtype_from_name(arg.dtype.c_str());
  const mla_tensor *made = nullptr;
  if (dtype == MLA_DTYPE_I32 || dtype == MLA_DTYPE_I64)
    made = makeMetadata(name, shape, dtype);
  else if (name == "cache" && c.cacheFormat == CacheFormat::Fp8Blocks)
    made = operands.packedRows(shape[0], shape[1], c.latent, c.dtype, c.pe);
  else if (name == "cos_sin" && shape.size() == 2 && dtype == MLA_DTYPE_F32)
    made = operands.rotaryTable(shape[0], shape[1]);
  else if (shape.empty() && dtype == MLA_DTYPE_F32)
    made = operands.scalar(1); // a scale
  else if (name.rfind("w_", 0) == 0)
    made = operands.weights(dtype, shape);
  else if (arg.role == "output")
    made = operands.zeros(dtype, shape);
  else if (mla_dtype_bits(dtype) >= 8 && dtype != MLA_DTYPE_I8)
    made = operands.random(dtype, shape);
  if (!made)
    reason = arg.name +
             ": expected an argument that a step of mla-import has, "
             "got " +
             arg.dtype + " " + arg.showShape();
  return made;
}

StepWorkload::StepWorkload(mla_context *ctx, Device &device,
                           const StepCase &step, int64_t set, double spread)
    : ctx(ctx), operands(ctx, device, spread), c(step.attention),
      function(step.module->function()) {
  std::mt19937 random(static_cast<uint32_t>(set + 1));
  sequences.emplace(operands, c, random);
  sizes = {{"", 0},
           {"T", c.tokens()},
           {"B", c.batch},
           {"K", sequences->columns},
           {"pages", poolPages(c)},
           {"max_pos", c.keys},
           {"topk", std::min(c.keys, pickedKeys)}};
  const std::map<std::string, int64_t> hints = {
      {"max_kv", c.keys},
      {"num_generation_seqs", c.batch},
      {"num_generation_tokens", c.tokens()}};
  std::vector<const mla_tensor *> tensors;
  for (const io::ManifestArg &arg : step.module->entry().args) {
    if (arg.role != "scalar") {
      tensors.push_back(make(arg));
      if (!tensors.back())
        return;
      continue;
    }
    auto hint = hints.find(arg.name);
    scalars.push_back(
        std::make_unique<int64_t>(hint == hints.end() ? 0 : hint->second));
    tensors.push_back(nullptr);
  }
  if (!operands.allocate()) {
    reason = operands.failure();
    return;
  }
  auto scalar = scalars.begin();
  for (const mla_tensor *tensor : tensors) {
    mla_tensor value = {};
    value.device_type = MLA_DEVICE_CPU;
    value.dtype = MLA_DTYPE_I64;
    if (!tensor)
      value.data = (scalar++)->get();
    args.push_back(tensor ? *tensor : value);
  }
}
