//===- Golden.cpp - Recorded tensors to a core's description --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla/Import/Golden.h"

#include "io/Dtype.h"
#include "mla_runtime/tensor.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <limits>

using namespace llvm;

namespace mla {
namespace {

Error makeError(StringRef place, const Twine &message) {
  return make_error<StringError>(place + ": " + message,
                                 inconvertibleErrorCode());
}

std::string showShape(const std::vector<int64_t> &shape) {
  return "[" +
         join(map_range(shape, [](int64_t dim) { return itostr(dim); }), ", ") +
         "]";
}

/// A required tensor of this rank.
Expected<const io::NamedTensor *> getTensor(const io::SafeTensors &file,
                                            StringRef name, size_t rank,
                                            StringRef place) {
  const io::NamedTensor *tensor = file.find(name.str());
  if (!tensor)
    return makeError(place, "expected a tensor " + name + ", got none");
  if (tensor->shape.size() != rank)
    return makeError(place, name + ": expected rank " + Twine(rank) +
                                ", got shape " + showShape(tensor->shape));
  return tensor;
}

Error checkShape(const io::NamedTensor &tensor, StringRef dims,
                 const std::vector<int64_t> &expected, StringRef place) {
  if (tensor.shape == expected)
    return Error::success();
  return makeError(place, Twine(tensor.name) + ": expected shape " + dims +
                              " = " + showShape(expected) + ", got " +
                              showShape(tensor.shape));
}

Expected<std::string> getMetadata(const io::SafeTensors &file, StringRef key,
                                  StringRef place) {
  auto it = file.metadata().find(key.str());
  if (it == file.metadata().end())
    return makeError(place, "expected " + key + " in the metadata, got none");
  return it->second;
}

} // namespace

Expected<AttentionCoreSpec> readGolden(const io::SafeTensors &file,
                                       StringRef place) {
  const io::NamedTensor *q, *latent, *weight;
  for (auto [name, rank, tensor] :
       {std::tuple<StringRef, size_t, const io::NamedTensor **>{"q", 3, &q},
        {"c_kv", 2, &latent},
        {"w_kv_b", 3, &weight}}) {
    auto found = getTensor(file, name, rank, place);
    if (!found)
      return found.takeError();
    *tensor = *found;
  }

  AttentionCoreSpec spec;
  int64_t tokens = q->shape[0];
  spec.numHeads = q->shape[1];
  spec.kvLoraRank = latent->shape[1];
  // Writers that can't store a width of 0 leave the tensor out.
  const io::NamedTensor *pe = file.find("k_pe");
  if (pe) {
    auto checked = getTensor(file, "k_pe", 2, place);
    if (!checked)
      return checked.takeError();
    spec.qkRopeHeadDim = pe->shape[1];
  }
  spec.qkNopeHeadDim = q->shape[2] - spec.qkRopeHeadDim;
  spec.vHeadDim = weight->shape[1] - spec.qkNopeHeadDim;
  if (spec.numHeads < 1 || spec.kvLoraRank < 1 || spec.qkNopeHeadDim < 1 ||
      spec.vHeadDim < 1)
    return makeError(place, "expected H, L, N and V of at least 1, got H = " +
                                Twine(spec.numHeads) +
                                ", L = " + Twine(spec.kvLoraRank) +
                                ", N = " + Twine(spec.qkNopeHeadDim) +
                                ", V = " + Twine(spec.vHeadDim));

  if (Error error =
          checkShape(*latent, "[S, L]", {tokens, spec.kvLoraRank}, place))
    return error;
  if (pe)
    if (Error error =
            checkShape(*pe, "[S, R]", {tokens, spec.qkRopeHeadDim}, place))
      return error;
  if (Error error =
          checkShape(*weight, "[H, N+V, L]",
                     {spec.numHeads, weight->shape[1], spec.kvLoraRank}, place))
    return error;
  if (const io::NamedTensor *out = file.find("out"))
    if (Error error = checkShape(*out, "[S, H, V]",
                                 {tokens, spec.numHeads, spec.vHeadDim}, place))
      return error;
  if (const io::NamedTensor *sinks = file.find("sinks")) {
    if (Error error = checkShape(*sinks, "[H]", {spec.numHeads}, place))
      return error;
    spec.sinks = true;
  }
  if (file.find("topk_indices")) {
    auto indices = getTensor(file, "topk_indices", 2, place);
    if (!indices)
      return indices.takeError();
    spec.topk = (*indices)->shape[1];
    if (Error error =
            checkShape(**indices, "[S, topk]", {tokens, spec.topk}, place))
      return error;
  }

  Expected<std::string> scale = getMetadata(file, "softmax_scale", place);
  if (!scale)
    return scale.takeError();
  if (StringRef(*scale).getAsDouble(spec.softmaxScale) ||
      !std::isfinite(spec.softmaxScale) || spec.softmaxScale <= 0)
    return makeError(place, "softmax_scale: expected a positive number, got '" +
                                *scale + "'");
  Expected<std::string> rope = getMetadata(file, "rope", place);
  if (!rope)
    return rope.takeError();
  if (*rope == "interleaved" || *rope == "half") {
    if (spec.qkRopeHeadDim == 0 || spec.qkRopeHeadDim % 2)
      return makeError(place, "k_pe: expected an even width to rotate, got " +
                                  Twine(spec.qkRopeHeadDim));
    spec.rotated = true;
    spec.ropeStyle = *rope == "half" ? RopeStyle::Half : RopeStyle::Interleaved;
  } else if (*rope == "none") {
    spec.unrotatedReason = spec.qkRopeHeadDim ? "rope is none in the metadata"
                                              : "k_pe has width 0";
  } else {
    return makeError(place, "rope: expected interleaved, half or none, got '" +
                                *rope + "'");
  }
  auto model = file.metadata().find("model");
  spec.model = model == file.metadata().end() ? "" : model->second;
  return spec;
}

Expected<std::vector<float>> readGoldenRopeTable(const io::SafeTensors &file,
                                                 StringRef place) {
  auto positions = getTensor(file, "positions", 1, place);
  if (!positions)
    return positions.takeError();
  auto cos = getTensor(file, "cos", 2, place);
  if (!cos)
    return cos.takeError();
  auto sin = getTensor(file, "sin", 2, place);
  if (!sin)
    return sin.takeError();
  int64_t rows = (*positions)->shape[0], half = (*cos)->shape[1];
  for (const io::NamedTensor *tensor : {*cos, *sin}) {
    if (Error error = checkShape(*tensor, "[S, R/2]", {rows, half}, place))
      return error;
    if (tensor->dtype != MLA_DTYPE_F32)
      return makeError(place, Twine(tensor->name) + ": expected F32, got " +
                                  io::safetensorsName(tensor->dtype));
  }

  io::Result<io::Buffer> wide =
      io::convertElements((*positions)->data, (*positions)->dtype,
                          MLA_DTYPE_I64, static_cast<uint64_t>(rows));
  if (!wide)
    return makeError(place, "positions: " + wide.error());
  const auto *position = reinterpret_cast<const int64_t *>(wide->data());
  int64_t count = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (position[i] < 0 || position[i] >= 1 << 24)
      return makeError(place,
                       "positions: expected values from 0 to 2^24-1, got " +
                           Twine(position[i]));
    count = std::max(count, position[i] + 1);
  }

  std::vector<float> table(static_cast<size_t>(count * half * 2),
                           std::numeric_limits<float>::quiet_NaN());
  size_t bytes = static_cast<size_t>(half) * sizeof(float);
  for (int64_t i = 0; i < rows; ++i) {
    float *row = table.data() + position[i] * half * 2;
    std::memcpy(row, static_cast<const char *>((*cos)->data) + i * bytes,
                bytes);
    std::memcpy(row + half, static_cast<const char *>((*sin)->data) + i * bytes,
                bytes);
  }
  return table;
}

} // namespace mla
