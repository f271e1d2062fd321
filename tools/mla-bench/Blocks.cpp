//===- Blocks.cpp - What the memory of operands repeats -------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Blocks.h"

#include "io/Dtype.h"
#include "mla_runtime/runtime.h"

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <utility>

using namespace mla;
using namespace mla::bench;

/// `count` normally distributed numbers, the same in every run; nothing of a
/// type that they can't be converted to.
static std::vector<char> randomBytes(uint32_t dtype, size_t count,
                                     double spread) {
  std::mt19937 engine(1);
  std::vector<char> bytes(count * io::dtypeBytes(dtype));
  std::normal_distribution<float> normal(0, static_cast<float>(spread));
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(engine);
  io::Result<io::Buffer> converted =
      io::convertElements(values.data(), MLA_DTYPE_F32, dtype, count);
  if (!converted)
    return {};
  std::memcpy(bytes.data(), converted->data(), bytes.size());
  return bytes;
}

static std::vector<char> packedBytes(int64_t latent, uint32_t peType,
                                     int64_t pe, double spread) {
  const size_t rows = 1021; // a prime: pages differ
  auto scales = static_cast<size_t>(latent / 128);
  auto latentBytes = static_cast<size_t>(latent);
  size_t peBytes = static_cast<size_t>(pe) * io::dtypeBytes(peType);
  size_t rowBytes = latentBytes + scales * sizeof(float) + peBytes;
  std::vector<char> latents =
      randomBytes(MLA_DTYPE_F8E4M3FN, rows * latentBytes, spread);
  std::vector<char> pes =
      randomBytes(peType, rows * static_cast<size_t>(pe), spread);
  const std::vector<float> ones(scales, 1.0f);
  std::vector<char> block(rows * rowBytes);
  for (size_t i = 0; i < rows; ++i) {
    char *row = block.data() + i * rowBytes;
    std::memcpy(row, latents.data() + i * latentBytes, latentBytes);
    std::memcpy(row + latentBytes, ones.data(), scales * sizeof(float));
    if (peBytes)
      std::memcpy(row + rowBytes - peBytes, pes.data() + i * peBytes, peBytes);
  }
  return block;
}

static std::vector<char> tableBytes(int64_t rows, int64_t width) {
  std::vector<float> values(static_cast<size_t>(rows * width));
  int64_t half = width / 2;
  for (int64_t i = 0; i < half; ++i) {
    double frequency =
        std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half));
    for (int64_t row = 0; row < rows; ++row) {
      double angle = static_cast<double>(row) * frequency;
      values[static_cast<size_t>(row * width + i)] =
          static_cast<float>(std::cos(angle));
      values[static_cast<size_t>(row * width + half + i)] =
          static_cast<float>(std::sin(angle));
    }
  }
  std::vector<char> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// The block of this kind and these numbers, made by `makeBlock` when it is
/// asked for first. It stays until the program ends: a device may keep a copy.
template <typename F>
static const std::vector<char> &
keptBlock(const char *kind, std::array<double, 4> numbers, F makeBlock) {
  using Key = std::pair<std::string, std::array<double, 4>>;
  static std::map<Key, std::vector<char>> blocks;
  auto found = blocks.find({kind, numbers});
  if (found == blocks.end())
    found = blocks.emplace(Key{kind, numbers}, makeBlock()).first;
  return found->second;
}

/// Of the numbers that are repeated: not a divisor of any row, so that rows
/// differ.
static constexpr size_t repeated = 262139;

const std::vector<char> &mla::bench::randomBlock(uint32_t dtype,
                                                 double spread) {
  return keptBlock("random", {static_cast<double>(dtype), spread},
                   [&] { return randomBytes(dtype, repeated, spread); });
}

const std::vector<char> &mla::bench::packedBlock(int64_t latent,
                                                 uint32_t peType, int64_t pe,
                                                 double spread) {
  return keptBlock("packed",
                   {static_cast<double>(latent), static_cast<double>(peType),
                    static_cast<double>(pe), spread},
                   [&] { return packedBytes(latent, peType, pe, spread); });
}

const std::vector<char> &mla::bench::tableBlock(int64_t rows, int64_t width) {
  return keptBlock("table",
                   {static_cast<double>(rows), static_cast<double>(width)},
                   [&] { return tableBytes(rows, width); });
}

const std::vector<char> &mla::bench::zeroBlock() {
  return keptBlock("zeros", {}, [] { return std::vector<char>(1 << 20); });
}
