//===- Operands.cpp - Tensors on the device for one workload --------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Operands.h"

#include "Blocks.h"
#include "io/Dtype.h"

#include <algorithm>
#include <cstring>

using namespace mla;
using namespace mla::bench;

/// What CUDA aligns its allocations to, and no instruction asks for more.
static constexpr uint64_t alignment = 256;

/// No machine has more, and sums of a few such numbers are still numbers.
static constexpr int64_t mostBytes = int64_t{1} << 50;

static uint64_t alignUp(uint64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

//===--- Memory ----------------------------------------------------------===//

Operands::Operands(mla_context *ctx, Device &device, double spread)
    : ctx(ctx), device(device), spread(spread), sections{{&values}} {}

Operands::~Operands() {
  if (ctx)
    mla_device_free(ctx, memory);
}

size_t Operands::sectionOf(const std::vector<char> &block, bool alone) {
  for (size_t i = 1; !alone && i < sections.size(); ++i)
    if (sections[i].block == &block)
      return i;
  sections.push_back({&block});
  return sections.size() - 1;
}

Operands::Operand &Operands::make(size_t section, uint32_t dtype,
                                  const Dims &dims) {
  Operand tensor = {};
  tensor.dtype = dtype;
  for (int64_t dim : dims)
    tensor.shape[tensor.rank++] = dim;
  int64_t element = mla_dtype_bits(dtype) / 8, bytes = element;
  for (int i = tensor.rank; i-- > 0;) {
    tensor.strides[i] = bytes / element;
    if (__builtin_mul_overflow(bytes, tensor.shape[i], &bytes) ||
        bytes > mostBytes) {
      reason = "expected operands of less than 2^50 bytes each, got more";
      bytes = 0; // and nothing will be allocated
    }
  }
  tensor.section = section;
  tensor.offset = sections[section].bytes;
  sections[section].bytes += alignUp(static_cast<uint64_t>(bytes));
  tensors.push_back(tensor);
  return tensors.back();
}

bool Operands::allocate() {
  if (!reason.empty())
    return false;
  std::vector<uint64_t> begins;
  for (const Section &section : sections) {
    begins.push_back(total);
    total += section.bytes;
  }
  if (!ctx)
    memory = reinterpret_cast<void *>(alignment);
  else if (!(memory = mla_device_alloc(ctx, std::max<uint64_t>(total, 1)))) {
    reason = mla_last_error(ctx);
    return false;
  }
  auto *base = static_cast<char *>(memory);
  for (Operand &tensor : tensors)
    tensor.data = base + begins[tensor.section] + tensor.offset;
  values.resize(sections.front().bytes); // the last tensor's padding
  for (size_t i = 0; ctx && i < sections.size(); ++i) {
    const Section &section = sections[i];
    if (!section.bytes)
      continue;
    io::Status filled = device.fill(base + begins[i], section.bytes,
                                    *section.block, /*kept=*/i > 0);
    if (!filled && reason.empty())
      reason = filled.error();
  }
  return reason.empty();
}

//===--- Tensors ---------------------------------------------------------===//

const mla_tensor *Operands::random(uint32_t dtype, const Dims &dims) {
  return &make(sectionOf(randomBlock(dtype, spread)), dtype, dims);
}

const mla_tensor *Operands::weights(uint32_t dtype, const Dims &dims) {
  return &make(sectionOf(randomBlock(dtype, 1.0 / 16)), dtype, dims);
}

const mla_tensor *Operands::packedRows(int64_t pages, int64_t pageSize,
                                       int64_t latent, uint32_t peType,
                                       int64_t pe) {
  const std::vector<char> &block = packedBlock(latent, peType, pe, spread);
  int64_t rowBytes = latent + latent / 128 * 4 +
                     pe * static_cast<int64_t>(io::dtypeBytes(peType));
  return &make(sectionOf(block, /*alone=*/true), MLA_DTYPE_I8,
               {pages, pageSize, rowBytes});
}

const mla_tensor *Operands::rotaryTable(int64_t rows, int64_t width) {
  return &make(sectionOf(tableBlock(rows, width), /*alone=*/true),
               MLA_DTYPE_F32, {rows, width});
}

const mla_tensor *Operands::zeros(uint32_t dtype, const Dims &dims) {
  return &make(sectionOf(zeroBlock()), dtype, dims);
}

const mla_tensor *Operands::given(uint32_t dtype, const Dims &dims,
                                  const void *data) {
  const Operand &tensor = make(0, dtype, dims);
  uint64_t bytes = mla_dtype_bits(dtype) / 8;
  for (int64_t dim : dims)
    bytes *= static_cast<uint64_t>(dim);
  values.resize(tensor.offset + bytes);
  if (bytes)
    std::memcpy(values.data() + tensor.offset, data, bytes);
  return &tensor;
}

const mla_tensor *Operands::integers(const Dims &dims,
                                     const std::vector<int32_t> &values) {
  return given(MLA_DTYPE_I32, dims, values.data());
}

const mla_tensor *Operands::integers(const Dims &dims,
                                     const std::vector<int64_t> &values) {
  return given(MLA_DTYPE_I64, dims, values.data());
}

const mla_tensor *Operands::scalar(float value) {
  return given(MLA_DTYPE_F32, {}, &value);
}

//===--- Views -----------------------------------------------------------===//

const mla_tensor *Operands::view(const Operand &operand) {
  tensors.push_back(operand);
  return &tensors.back();
}

const mla_tensor *Operands::field(const mla_tensor *rows, int64_t begin,
                                  uint32_t dtype, int64_t count) {
  if (!rows || count == 0)
    return nullptr;
  Operand part = *static_cast<const Operand *>(rows);
  part.dtype = dtype;
  part.shape[part.rank - 1] = count;
  for (int i = 0; i + 1 < part.rank; ++i)
    part.strides[i] /= static_cast<int64_t>(io::dtypeBytes(dtype));
  part.byte_offset += static_cast<uint64_t>(begin);
  return view(part);
}

const mla_tensor *Operands::columns(const mla_tensor *tensor, int64_t begin,
                                    int64_t count) {
  if (!tensor || count == 0)
    return nullptr;
  Operand part = *static_cast<const Operand *>(tensor);
  part.shape[part.rank - 1] = count;
  part.byte_offset +=
      static_cast<uint64_t>(begin) * mla_dtype_bits(part.dtype) / 8;
  return view(part);
}
