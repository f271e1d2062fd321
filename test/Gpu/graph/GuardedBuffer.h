//===- GuardedBuffer.h - Device memory between canaries ---------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_GPU_GUARDEDBUFFER_H
#define MLA_TEST_GPU_GUARDEDBUFFER_H

#include "io/Result.h"
#include "mla_runtime/runtime.h"

#include <cstdint>
#include <vector>

namespace mla::graph {

using Bytes = std::vector<uint8_t>;

/// Bytes on a context's device, with bytes before and after that nobody is to
/// write.
class GuardedBuffer {
public:
  GuardedBuffer() = default;
  GuardedBuffer(GuardedBuffer &&other) noexcept { *this = std::move(other); }
  GuardedBuffer &operator=(GuardedBuffer &&other) noexcept {
    std::swap(ctx, other.ctx);
    std::swap(block, other.block);
    std::swap(bytes, other.bytes);
    return *this;
  }
  ~GuardedBuffer() {
    if (block)
      mla_device_free(ctx, block);
  }

  static io::Result<GuardedBuffer> make(mla_context *ctx, uint64_t bytes) {
    GuardedBuffer buffer;
    buffer.ctx = ctx;
    buffer.bytes = bytes;
    buffer.block = mla_device_alloc(ctx, bytes + 2 * kGuard);
    Bytes canaries(bytes + 2 * kGuard, kCanary);
    if (!buffer.block || mla_upload(ctx, buffer.block, canaries.data(),
                                    canaries.size()) != MLA_STATUS_OK)
      return io::Error{mla_last_error(ctx)};
    return buffer;
  }

  void *data() const { return static_cast<uint8_t *>(block) + kGuard; }
  uint64_t size() const { return bytes; }

  io::Status upload(const Bytes &content) const {
    if (mla_upload(ctx, data(), content.data(), content.size()) !=
        MLA_STATUS_OK)
      return io::Error{mla_last_error(ctx)};
    return {};
  }

  io::Result<Bytes> download() const { return read(kGuard, bytes); }

  /// Whether the bytes around it are as they were.
  io::Result<bool> isIntact() const {
    for (uint64_t offset : {uint64_t(0), kGuard + bytes}) {
      io::Result<Bytes> guard = read(offset, kGuard);
      if (!guard)
        return io::Error{guard.error()};
      for (uint8_t byte : *guard)
        if (byte != kCanary)
          return false;
    }
    return true;
  }

private:
  /// A page of the largest row here, and a multiple of CUDA's alignment.
  static constexpr uint64_t kGuard = 1 << 16;
  static constexpr uint8_t kCanary = 0xa5;

  io::Result<Bytes> read(uint64_t offset, uint64_t count) const {
    Bytes result(count);
    if (mla_download(ctx, result.data(), static_cast<uint8_t *>(block) + offset,
                     count) != MLA_STATUS_OK)
      return io::Error{mla_last_error(ctx)};
    return result;
  }

  mla_context *ctx = nullptr;
  void *block = nullptr;
  uint64_t bytes = 0;
};

} // namespace mla::graph

#endif // MLA_TEST_GPU_GUARDEDBUFFER_H
