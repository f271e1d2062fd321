//===- State.h - What a context holds on its GPU --------------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_STATE_H
#define MLA_RUNTIME_CUDA_STATE_H

#include "core/Context.h"

#include <cuda_runtime_api.h>

#include <algorithm>

namespace mla {
namespace cuda {

struct FaultRecord;
class Matmul;

/// What mla_context::backendState points to. Everything is allocated when the
/// context is made, in sizes that depend on the GPU alone: calls of any shape
/// find it there, and captured graphs may keep its addresses.
struct State {
  int numSMs = 0;
  /// Shared memory that a block can have when it asks for it.
  int maxSharedBytes = 0;
  /// The GPU runs what is made for compute capability 9.0 alone (sm_90a).
  bool hasSm90 = false;
  /// Kernels can be launched before the one in front of them has ended.
  bool startsEarly = false;
  /// The last kernel was a copy or a fill: it may have written weights, which
  /// products of few tokens read before they wait.
  bool weightsWritten = false;
  FaultRecord *fault = nullptr; ///< On the device.
  /// Scratch of the attention kernels: partial states, and a schedule where the
  /// call has none.
  char *scratch = nullptr;
  Matmul *matmul = nullptr;
};

inline State &stateOf(mla_context &ctx) {
  return *static_cast<State *>(ctx.backendState);
}

inline cudaStream_t streamOf(mla_context &ctx) {
  return static_cast<cudaStream_t>(ctx.stream);
}

/// Multiprocessors that a call may fill.
inline int usableSMs(mla_context &ctx) {
  int all = stateOf(ctx).numSMs;
  return ctx.smLimit > 0 ? std::min(ctx.smLimit, all) : all;
}

/// What went wrong, for the sentence that reports it. CUDA forgets it, so that
/// the caller's next cudaGetLastError() doesn't meet it as its own.
inline const char *textOf(cudaError_t error) {
  cudaGetLastError();
  return cudaGetErrorString(error);
}

/// Null is ignored: CUDA would wake the device for it.
inline void freeMemory(void *data) {
  if (data && cudaFree(data) != cudaSuccess)
    cudaGetLastError();
}

/// Makes the context's device the calling thread's while it lives.
class DeviceGuard {
public:
  explicit DeviceGuard(int device) {
    if (cudaGetDevice(&previous) != cudaSuccess || previous == device)
      previous = -1;
    else if (cudaSetDevice(device) != cudaSuccess)
      cudaGetLastError(); // what is done next fails, and says so
  }
  ~DeviceGuard() {
    if (previous >= 0)
      cudaSetDevice(previous);
  }
  DeviceGuard(const DeviceGuard &) = delete;
  DeviceGuard &operator=(const DeviceGuard &) = delete;

private:
  int previous = -1;
};

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_STATE_H
