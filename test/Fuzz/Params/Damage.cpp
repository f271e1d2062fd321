//===- Damage.cpp - Spoils valid calls ------------------------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValidCall.h"

using namespace mla::fuzz;

void AnyCall::damageData(Input &input) {
  std::vector<const mla_tensor *> integers;
  for (const mla_tensor *tensor : tensors(/*writtenOnly=*/false))
    if (tensor->dtype == MLA_DTYPE_I32 || tensor->dtype == MLA_DTYPE_I64)
      integers.push_back(tensor);
  if (integers.empty())
    return;
  for (unsigned n = input.below(4); n > 0; --n) {
    const mla_tensor &tensor =
        *integers[input.below(static_cast<unsigned>(integers.size()))];
    std::optional<std::pair<size_t, size_t>> range = arena.extent(tensor);
    if (!range || range->first == range->second)
      continue;
    size_t size = mla_dtype_bits(tensor.dtype) / 8;
    size_t count = (range->second - range->first) / size;
    size_t at = (input.byte() | static_cast<size_t>(input.byte()) << 8) % count;
    int64_t value = input.number();
    // Little endian, as the runtime's platforms are.
    std::memcpy(static_cast<char *>(tensor.data) + tensor.byte_offset +
                    at * size,
                &value, size);
  }
}

static void damageTensor(mla_tensor &tensor, Input &input) {
  switch (input.below(12)) {
  case 0:
    tensor.shape[input.below(6)] = input.number();
    break;
  case 1:
    tensor.strides[input.below(6)] = input.number();
    break;
  case 2:
    tensor.dtype = input.below(18);
    break;
  case 3:
    tensor.rank = static_cast<int32_t>(input.below(10)) - 2;
    break;
  case 4:
    tensor.data = nullptr;
    break;
  case 5:
    tensor.flags = input.coin() ? 1 : static_cast<uint64_t>(input.number());
    break;
  case 6:
    tensor.byte_offset = static_cast<uint64_t>(input.number());
    break;
  case 7:
    tensor.device_type = static_cast<int32_t>(input.below(4));
    tensor.device_id = static_cast<int32_t>(input.below(2));
    break;
  case 8:
    tensor.reserved[input.below(2)] = static_cast<uint64_t>(input.number());
    break;
  case 9: { // one smaller: what fits stays in bounds
    int64_t &size = tensor.shape[input.below(6)];
    size -= size > 0;
    break;
  }
  case 10: { // elements that lie on each other
    tensor.strides[input.below(6)] = input.below(3);
    break;
  }
  case 11: { // two dims exchanged
    unsigned a = input.below(6), b = input.below(6);
    std::swap(tensor.shape[a], tensor.shape[b]);
    if (input.coin())
      std::swap(tensor.strides[a], tensor.strides[b]);
    break;
  }
  }
}

void AnyCall::damageFields(Input &input) {
  for (unsigned n = input.below(4); n > 0; --n) {
    const Field &field =
        op.fields[input.below(static_cast<unsigned>(op.fields.size()))];
    const Field &other =
        op.fields[input.below(static_cast<unsigned>(op.fields.size()))];
    if (field.kind == Field::Tensor) {
      auto *tensor = getField<mla_tensor *>(params.data(), field);
      unsigned choice = input.below(6);
      if (choice == 0) {
        drop(field.name);
      } else if (choice == 1 && other.kind == Field::Tensor) {
        // The memory of another argument, or its whole view.
        auto *second = getField<mla_tensor *>(params.data(), other);
        if (!second)
          continue;
        if (tensor && input.coin())
          tensor->data = second->data;
        else
          setField(params.data(), field, second);
      } else {
        descriptors.push_back(tensor ? *tensor : mla_tensor{});
        damageTensor(descriptors.back(), input);
        setField(params.data(), field, &descriptors.back());
      }
    } else if (field.kind == Field::I64) {
      setField(params.data(), field, input.number());
    } else if (field.kind == Field::F64) {
      const double values[] = {
          0,     -1,    __builtin_nan(""), __builtin_inf(), -__builtin_inf(),
          1e308, 1e-320};
      setField(params.data(), field, values[input.below(7)]);
    } else {
      setField<const char *>(params.data(), field, "two\nlines");
    }
  }
  if (input.oneIn(32)) {
    // A caller of an older or newer version.
    uint64_t size = input.below(4) ? 8 * input.below(64)
                                   : static_cast<uint64_t>(input.number());
    size = std::min<uint64_t>(size, params.size());
    setField(params.data(), {Field::I64, "struct_size", 0}, size);
  }
}
