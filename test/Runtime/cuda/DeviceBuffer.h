//===- DeviceBuffer.h - Memory of the GPU for a test's tensors ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_TEST_RUNTIME_CUDA_DEVICEBUFFER_H
#define MLA_TEST_RUNTIME_CUDA_DEVICEBUFFER_H

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace mla {
namespace test {

/// Throws what the CUDA runtime says of an error; a test fails of it.
inline void requireCuda(cudaError_t error) {
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("CUDA: expected success, got ") +
                             cudaGetErrorString(error));
}

/// Kept from case to case: to allocate would take longer than most of them.
class DeviceBuffer {
public:
  DeviceBuffer() = default;
  ~DeviceBuffer() { cudaFree(memory); }
  DeviceBuffer(const DeviceBuffer &) = delete;
  DeviceBuffer &operator=(const DeviceBuffer &) = delete;

  /// At least so many bytes, aligned to 256. What was there is gone when they
  /// are more than ever before.
  char *take(size_t bytes) {
    if (bytes > size || !memory) {
      cudaFree(std::exchange(memory, nullptr));
      size = 0;
      requireCuda(cudaMalloc(&memory, bytes > 0 ? bytes : 1));
      size = bytes;
    }
    return static_cast<char *>(memory);
  }

private:
  void *memory = nullptr;
  size_t size = 0;
};

} // namespace test
} // namespace mla

#endif // MLA_TEST_RUNTIME_CUDA_DEVICEBUFFER_H
