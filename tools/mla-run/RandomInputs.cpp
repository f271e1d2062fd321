//===- RandomInputs.cpp - Inputs that nobody gave -------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomInputs.h"

#include "LayerNames.h"
#include "io/Dtype.h"
#include "mla_runtime/runtime.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

namespace mla::run {
namespace {

/// Rows of a page: the one static size of a cache's dims that is not its last.
int64_t pageSizeOf(const io::ManifestEntry &entry) {
  const io::ManifestArg *cache = findOfAnyLayer(entry, "cache");
  if (!cache || cache->shape.size() != 3 || !cache->shape[1].symbol.empty())
    return 1;
  return cache->shape[1].offset;
}

/// The step that the metadata describes.
struct Step {
  int64_t tokens, sequences, pages, pagesEach, keys;

  Step(const Symbols &symbols, const io::ManifestEntry &entry)
      : tokens(symbols.get("T").value_or(1)),
        sequences(symbols.get("B").value_or(1)),
        pages(symbols.get("pages").value_or(1)),
        pagesEach(symbols.get("K").value_or(1)),
        keys(symbols.get("kv").value_or(pagesEach * pageSizeOf(entry))) {}

  /// First token of a sequence.
  int64_t firstToken(int64_t sequence) const {
    return sequences ? sequence * tokens / sequences : 0;
  }
  /// How many keys the token sees.
  int64_t bound(int64_t token) const {
    int64_t sequence = 0;
    while (sequence + 1 < sequences && firstToken(sequence + 1) <= token)
      ++sequence;
    return std::max<int64_t>(keys - (firstToken(sequence + 1) - 1 - token), 0);
  }
};

/// Metadata by name; false when the name is none.
bool makeMetadata(const std::string &name, const std::vector<int64_t> &shape,
                  const Step &step, uint64_t seed,
                  std::vector<int64_t> &values) {
  int64_t width = shape.size() > 1 ? shape[1] : 1;
  auto fill = [&](auto value) {
    for (int64_t i = 0; i < static_cast<int64_t>(values.size()); ++i)
      values[i] = value(i);
    return true;
  };
  if (name == "kv_lens" || name == "local_kv_lens")
    return fill([&](int64_t) { return step.keys; });
  if (name == "cu_q")
    return fill([&](int64_t i) { return step.firstToken(i); });
  if (name == "cu_k")
    return fill([&](int64_t i) { return i * step.keys; });
  if (name == "positions")
    return fill(
        [&](int64_t i) { return std::max<int64_t>(step.bound(i) - 1, 0); });
  if (name == "kv_bounds")
    return fill([&](int64_t i) { return step.bound(i); });
  if (name == "indices") // different keys, spread over those that are visible
    return fill([&](int64_t i) {
      int64_t bound = step.bound(i / width), key = i % width;
      return key < bound ? key * std::max<int64_t>(bound / width, 1) : -1;
    });
  if (name == "page_table" || name == "slots") {
    std::vector<int64_t> rows(
        std::max<int64_t>(step.pages, static_cast<int64_t>(values.size())));
    std::iota(rows.begin(), rows.end(), 0);
    if (step.pages < static_cast<int64_t>(rows.size()))
      for (int64_t &row : rows)
        row %= std::max<int64_t>(step.pages, 1);
    std::mt19937_64 engine(seed);
    std::shuffle(rows.begin(), rows.end(), engine);
    return fill([&](int64_t i) { return rows[i]; });
  }
  return false;
}

void makeTable(const std::vector<int64_t> &shape, std::vector<float> &values) {
  int64_t width = shape.size() > 1 ? shape[1] : 0, half = width / 2;
  for (int64_t row = 0; row < shape[0]; ++row)
    for (int64_t i = 0; i < half; ++i) {
      double angle = static_cast<double>(row) *
                     std::pow(10000.0, -2.0 * static_cast<double>(i) /
                                           static_cast<double>(width));
      values[row * width + i] = static_cast<float>(std::cos(angle));
      values[row * width + half + i] = static_cast<float>(std::sin(angle));
    }
}

/// Last dim of argument `name`; 0 where it has none that is static.
int64_t widthOf(const io::ManifestEntry &entry, const char *name) {
  const io::ManifestArg *arg = findOfAnyLayer(entry, name);
  if (!arg || arg->shape.empty() || !arg->shape.back().symbol.empty())
    return 0;
  return arg->shape.back().offset;
}

/// Rows of a block-scaled cache, [L f8E4M3FN | L/128 f32 scales | R 16-bit]:
/// how the bytes divide is told by the entry's c_kv and k_pe.
io::Result<io::Buffer> makePackedRows(uint64_t count, int64_t rowBytes,
                                      const io::ManifestEntry &entry,
                                      uint64_t seed) {
  int64_t latent = widthOf(entry, "c_kv"), pe = widthOf(entry, "k_pe");
  int64_t blocks = latent / 128;
  if (rowBytes <= 0 || latent + 4 * blocks + 2 * pe != rowBytes)
    return io::Error{"expected a file with it, since --random tells the parts "
                     "of a row of bytes by c_kv and k_pe, got neither"};
  const io::ManifestArg *kPe = findOfAnyLayer(entry, "k_pe");
  uint32_t type = kPe && kPe->dtype == "f16" ? MLA_DTYPE_F16 : MLA_DTYPE_BF16;
  uint64_t rows = count / static_cast<uint64_t>(rowBytes);
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  io::Buffer out(count);
  std::vector<float> values(latent + pe);
  for (uint64_t row = 0; row < rows && out.data(); ++row) {
    char *to = reinterpret_cast<char *>(out.data()) + row * rowBytes;
    // As append leaves them: the largest of 128 is mostly in (224, 448].
    for (float &value : values)
      value = normal(engine);
    for (int64_t i = 0; i < latent; ++i)
      values[i] *= 128;
    const float scale = 1.0f / 128;
    for (int64_t i = 0; i < blocks; ++i)
      std::memcpy(to + latent + 4 * i, &scale, sizeof(scale));
    io::Result<io::Buffer> parts[] = {
        io::convertElements(values.data(), MLA_DTYPE_F32, MLA_DTYPE_F8E4M3FN,
                            latent),
        io::convertElements(values.data() + latent, MLA_DTYPE_F32, type, pe)};
    for (io::Result<io::Buffer> &part : parts)
      if (!part)
        return io::Error{part.error()};
    std::memcpy(to, parts[0]->data(), latent);
    if (pe > 0)
      std::memcpy(to + latent + 4 * blocks, parts[1]->data(), 2 * pe);
  }
  return out;
}

uint64_t hash(const std::string &name) {
  uint64_t value = 1469598103934665603u; // FNV-1a
  for (unsigned char c : name)
    value = (value ^ c) * 1099511628211u;
  return value;
}

} // namespace

void setRandomDefaults(Symbols &symbols, const io::ManifestEntry &entry) {
  symbols.setDefault("B", 1);
  int64_t sequences = *symbols.get("B"), page = pageSizeOf(entry);
  symbols.setDefault("T", sequences);
  std::optional<int64_t> keys = symbols.get("kv");
  symbols.setDefault("K", keys ? (*keys + page - 1) / page : 4);
  symbols.setDefault("pages", sequences * *symbols.get("K"));
  int64_t capacity = *symbols.get("K") * page;
  symbols.setDefault("max_pos", capacity);
  symbols.setDefault("topk", std::min<int64_t>(capacity, 2048));
  symbols.setDefault("S", sequences * capacity);
}

io::Result<io::Buffer>
makeRandomInput(const io::ManifestArg &arg, uint32_t dtype,
                const std::vector<int64_t> &shape, const Symbols &symbols,
                const io::ManifestEntry &entry, uint64_t seed) {
  uint64_t count = 1;
  for (int64_t dim : shape)
    count *= static_cast<uint64_t>(dim);
  seed ^= hash(arg.name);

  if (dtype == MLA_DTYPE_I32 || dtype == MLA_DTYPE_I64) {
    std::vector<int64_t> values(count);
    if (!makeMetadata(dropLayer(arg.name), shape, Step(symbols, entry), seed,
                      values))
      return io::Error{arg.name +
                       ": expected a file with it, since --random knows no "
                       "such metadata, got none"};
    return io::convertElements(values.data(), MLA_DTYPE_I64, dtype, count);
  }

  if (dtype == MLA_DTYPE_I8 && shape.size() == 3) {
    io::Result<io::Buffer> rows =
        makePackedRows(count, shape.back(), entry, seed);
    return rows ? std::move(rows)
                : io::Result<io::Buffer>(
                      io::Error{arg.name + ": " + rows.error()});
  }

  std::vector<float> values(count, 1.0f);
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  float scale = arg.name.rfind("w_", 0) == 0 && shape.size() && shape.back()
                    ? 1.0f / std::sqrt(static_cast<float>(shape.back()))
                    : 1.0f;
  if (arg.name == "cos_sin" && shape.size() == 2)
    makeTable(shape, values);
  else if (!shape.empty()) // a scalar is a quantization scale: 1
    for (float &value : values)
      value = normal(engine) * scale;
  return io::convertElements(values.data(), MLA_DTYPE_F32, dtype, count);
}

} // namespace mla::run
