//===- Arena.cpp - Watched memory behind a call's tensors -----------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arena.h"

#include <cstdlib>
#include <cstring>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MLA_HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(MLA_HAS_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size)                             \
  ((void)(address), (void)(size))
#endif

using namespace mla::fuzz;

static const size_t alignment = 64, guard = 128;
static const int filler = 0x5A;

Arena::Arena() : memory(static_cast<char *>(std::aligned_alloc(64, capacity))) {
  if (!memory)
    std::abort();
  used = capacity;
  clear();
}

Arena::~Arena() {
  ASAN_UNPOISON_MEMORY_REGION(memory, capacity);
  std::free(memory);
}

void Arena::clear() {
  ASAN_UNPOISON_MEMORY_REGION(memory, capacity);
  std::memset(memory, filler, used);
  used = guard;
  regions.clear();
  guardAgain();
}

void Arena::guardAgain() {
  ASAN_POISON_MEMORY_REGION(memory, capacity);
  for (auto [data, bytes] : regions)
    ASAN_UNPOISON_MEMORY_REGION(data, bytes);
}

char *Arena::allocate(size_t bytes, size_t misalignment) {
  size_t start = (used + alignment - 1) / alignment * alignment + misalignment;
  if (bytes > capacity || start + bytes + 2 * guard > capacity)
    return nullptr;
  used = start + bytes + guard;
  char *data = memory + start;
  regions.push_back({data, bytes});
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
  std::memset(data, 0, bytes);
  return data;
}

std::optional<std::pair<size_t, size_t>>
Arena::extent(const mla_tensor &tensor) const {
  if (tensor.rank < 0 || tensor.rank > MLA_MAX_RANK ||
      mla_dtype_bits(tensor.dtype) < 8)
    return std::nullopt;
  __int128 size = mla_dtype_bits(tensor.dtype) / 8;
  __int128 low = reinterpret_cast<intptr_t>(tensor.data);
  low += tensor.byte_offset;
  low -= reinterpret_cast<intptr_t>(memory);
  __int128 high = low;
  bool empty = false;
  for (int i = 0; i < tensor.rank; ++i) {
    if (tensor.shape[i] < 0)
      return std::nullopt;
    empty |= tensor.shape[i] == 0;
    __int128 step =
        static_cast<__int128>(tensor.shape[i] - 1) * tensor.strides[i];
    if (__builtin_mul_overflow(step, size, &step))
      return std::nullopt; // Far outside.
    (step < 0 ? low : high) += step;
  }
  if (empty)
    return std::pair<size_t, size_t>{0, 0};
  high += size;
  for (auto [data, bytes] : regions) {
    __int128 begin = data - memory, end = begin + static_cast<__int128>(bytes);
    if (low >= begin && high <= end)
      return std::pair<size_t, size_t>{static_cast<size_t>(low),
                                       static_cast<size_t>(high)};
  }
  return std::nullopt;
}

void Arena::snapshot() {
  // The copy reads the guards as well.
  ASAN_UNPOISON_MEMORY_REGION(memory, used);
  before.assign(memory, memory + used);
  guardAgain();
}

size_t Arena::damage(const std::vector<const mla_tensor *> &written) {
  ASAN_UNPOISON_MEMORY_REGION(memory, used);
  if (std::memcmp(before.data(), memory, used) == 0)
    return 0;
  std::vector<bool> allowed(used, false);
  for (const mla_tensor *tensor : written) {
    std::optional<std::pair<size_t, size_t>> range = extent(*tensor);
    if (!range || range->first == range->second)
      continue;
    size_t size = mla_dtype_bits(tensor->dtype) / 8;
    const char *first =
        static_cast<const char *>(tensor->data) + tensor->byte_offset;
    int64_t index[MLA_MAX_RANK] = {};
    for (int d = 0; d >= 0;) {
      int64_t offset = first - memory;
      for (int i = 0; i < tensor->rank; ++i)
        offset += index[i] * tensor->strides[i] * static_cast<int64_t>(size);
      for (size_t i = 0; i < size; ++i)
        allowed[static_cast<size_t>(offset) + i] = true;
      for (d = tensor->rank - 1; d >= 0 && ++index[d] == tensor->shape[d]; --d)
        index[d] = 0;
    }
  }
  size_t count = 0;
  for (size_t i = 0; i < used; ++i)
    count += memory[i] != before[i] && !allowed[i];
  return count;
}
