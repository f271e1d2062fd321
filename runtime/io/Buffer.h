//===- Buffer.h - Aligned host memory ---------------------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_IO_BUFFER_H
#define MLA_RUNTIME_IO_BUFFER_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace mla::io {

/// Bytes on the host, aligned as the runtime's allocations are, zero at first.
class Buffer {
public:
  static constexpr uint64_t kAlignment = 256;

  Buffer() = default;
  /// data() is null afterwards when there was no memory.
  explicit Buffer(uint64_t size) {
    if (size > UINT64_MAX - kAlignment)
      return;
    // Never of size 0, so that null always means that memory ran out.
    uint64_t rounded = (size / kAlignment + 1) * kAlignment;
    bytes = static_cast<uint8_t *>(std::aligned_alloc(kAlignment, rounded));
    if (!bytes)
      return;
    std::memset(bytes, 0, rounded);
    count = size;
  }
  ~Buffer() { std::free(bytes); }
  Buffer(Buffer &&other) noexcept { *this = std::move(other); }
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(bytes, other.bytes);
    std::swap(count, other.count);
    return *this;
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  uint8_t *data() { return bytes; }
  const uint8_t *data() const { return bytes; }
  uint64_t size() const { return count; }

private:
  uint8_t *bytes = nullptr;
  uint64_t count = 0;
};

} // namespace mla::io

#endif // MLA_RUNTIME_IO_BUFFER_H
