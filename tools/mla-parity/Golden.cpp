//===- Golden.cpp - What a framework computed -----------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Golden.h"

#include "io/Dtype.h"
#include "io/SafeTensors.h"
#include "mla_runtime/runtime.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace mla::parity {
namespace {

std::string show(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// Takes tensors out of a file. The first failure is kept and later ones are
/// dropped, so that a caller asks once, at the end.
class Reader {
public:
  Reader(const io::SafeTensors &file, const std::string &path)
      : file(file), path(path) {}

  bool has(const char *name) const { return file.find(name) != nullptr; }

  /// The shape of a required tensor; zeros after a failure.
  std::vector<int64_t> getShape(const char *name, size_t rank) {
    const io::NamedTensor *tensor = file.find(name);
    if (tensor && tensor->shape.size() == rank)
      return tensor->shape;
    fail(name, "rank " + std::to_string(rank),
         tensor ? "shape " + show(tensor->shape) : "no such tensor");
    return std::vector<int64_t>(rank, 0);
  }

  void get(const char *name, const std::vector<int64_t> &shape,
           std::vector<float> &out) {
    get(name, shape, MLA_DTYPE_F32, out);
  }
  void get(const char *name, const std::vector<int64_t> &shape,
           std::vector<int32_t> &out) {
    get(name, shape, MLA_DTYPE_I32, out);
  }

  void fail(const std::string &name, const std::string &expected,
            const std::string &got) {
    if (message.empty())
      message = path + ": " + name + ": expected " + expected + ", got " + got;
  }
  const std::string &error() const { return message; }

private:
  template <typename T>
  void get(const char *name, const std::vector<int64_t> &shape, uint32_t dtype,
           std::vector<T> &out) {
    if (getShape(name, shape.size()) != shape)
      return fail(name, "shape " + show(shape),
                  "shape " + show(file.find(name)->shape));
    const io::NamedTensor &tensor = *file.find(name);
    uint64_t count = tensor.numElements();
    auto converted =
        io::convertElements(tensor.data, tensor.dtype, dtype, count);
    if (!converted)
      return fail(name, mla_dtype_name(dtype), converted.error());
    out.resize(count);
    if (count)
      std::memcpy(out.data(), converted->data(), count * sizeof(T));
  }

  const io::SafeTensors &file;
  const std::string &path;
  std::string message;
};

} // namespace

std::string getStem(const std::string &path) {
  return std::filesystem::path(path).stem().string();
}

io::Result<Golden> Golden::read(const std::string &path) {
  auto file = io::SafeTensors::read(path);
  if (!file)
    return io::Error{file.error()};
  Reader reader(*file, path);
  Golden golden;
  golden.name = getStem(path);

  std::vector<int64_t> q = reader.getShape("q", 3);
  golden.tokens = q[0];
  golden.heads = q[1];
  golden.latent = reader.getShape("c_kv", 2)[1];
  // Writers that can't store a width of 0 leave the tensor out.
  if (reader.has("k_pe"))
    golden.pe = reader.getShape("k_pe", 2)[1];
  golden.nope = q[2] - golden.pe;
  golden.value = reader.getShape("out", 3)[2];
  if (golden.tokens < 1 || golden.heads < 1 || golden.latent < 1 ||
      golden.nope < 1 || golden.value < 1)
    reader.fail("q", "at least one token, head and column", "shape " + show(q));
  if (!reader.error().empty())
    return io::Error{reader.error()};

  int64_t tokens = golden.tokens, heads = golden.heads;
  reader.get("q", {tokens, heads, q[2]}, golden.q);
  reader.get("c_kv", {tokens, golden.latent}, golden.cKV);
  if (golden.pe)
    reader.get("k_pe", {tokens, golden.pe}, golden.kPe);
  reader.get("w_kv_b", {heads, golden.nope + golden.value, golden.latent},
             golden.weight);
  reader.get("out", {tokens, heads, golden.value}, golden.out);
  if (reader.has("cos") || reader.has("sin")) {
    reader.get("cos", {tokens, golden.pe / 2}, golden.cos);
    reader.get("sin", {tokens, golden.pe / 2}, golden.sin);
  }
  // What the compiler refuses need not be refused here.
  const auto &metadata = file->metadata();
  auto scale = metadata.find("softmax_scale");
  auto rope = metadata.find("rope");
  golden.softmaxScale = std::strtod(
      scale == metadata.end() ? "nan" : scale->second.c_str(), nullptr);
  golden.isHalf = rope != metadata.end() && rope->second == "half";
  if (reader.has("sinks"))
    reader.get("sinks", {heads}, golden.sinks);
  if (reader.has("topk_indices")) {
    golden.topk = reader.getShape("topk_indices", 2)[1];
    reader.get("topk_indices", {tokens, golden.topk}, golden.indices);
  }
  if (!reader.error().empty())
    return io::Error{reader.error()};
  return golden;
}

} // namespace mla::parity
