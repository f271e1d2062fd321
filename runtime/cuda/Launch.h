//===- Launch.h - Starting kernels on a context's stream ------------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef MLA_RUNTIME_CUDA_LAUNCH_H
#define MLA_RUNTIME_CUDA_LAUNCH_H

#include "State.h"

#include <cuda_runtime.h>

namespace mla {
namespace cuda {

/// Reports a CUDA error of operation `op` in one sentence.
inline mla_status failCuda(mla_context &ctx, const char *op,
                           cudaError_t error) {
  return fail(ctx, MLA_STATUS_INTERNAL,
              "mla_%s: expected CUDA to take the work, got: %s", op,
              textOf(error));
}

/// Blocks that cover `count` in pieces of `size`.
constexpr int64_t ceilDiv(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

/// Starts `kernel` as `config` says, on the context's stream.
template <typename... Params, typename... Args>
mla_status launchAs(cudaLaunchConfig_t config, mla_context &ctx, const char *op,
                    void (*kernel)(Params...), const Args &...args) {
  config.stream = streamOf(ctx);
  DeviceGuard guard(ctx.device);
  cudaError_t error =
      cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...);
  return error == cudaSuccess ? MLA_STATUS_OK : failCuda(ctx, op, error);
}

/// Starts `kernel`. `sharedBytes` beyond 48 KiB must have been granted by
/// allowShared().
template <typename... Params, typename... Args>
mla_status launch(mla_context &ctx, const char *op, void (*kernel)(Params...),
                  dim3 grid, dim3 block, size_t sharedBytes,
                  const Args &...args) {
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = sharedBytes;
  return launchAs(config, ctx, op, kernel, args...);
}

/// launchEarly() of clusters of `cluster` blocks, which need compute capability
/// 9.0 unless that is 1.
template <typename... Params, typename... Args>
mla_status launchEarlyClusters(mla_context &ctx, const char *op,
                               void (*kernel)(Params...), dim3 grid,
                               unsigned cluster, dim3 block, size_t sharedBytes,
                               const Args &...args) {
  cudaLaunchAttribute attributes[2] = {};
  int count = 0;
  if (stateOf(ctx).startsEarly) {
    attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[count++].val.programmaticStreamSerializationAllowed = 1;
  }
  if (cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count++].val.clusterDim = {cluster, 1, 1};
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = sharedBytes;
  config.attrs = attributes;
  config.numAttrs = count;
  stateOf(ctx).weightsWritten = false;
  return launchAs(config, ctx, op, kernel, args...);
}

/// Starts a kernel all of whose threads call waitForStream() before they read
/// or write memory, weights excepted: it may be on the GPU before the stream's
/// last kernel has ended. Otherwise like launch().
template <typename... Params, typename... Args>
mla_status launchEarly(mla_context &ctx, const char *op,
                       void (*kernel)(Params...), dim3 grid, dim3 block,
                       size_t sharedBytes, const Args &...args) {
  return launchEarlyClusters(ctx, op, kernel, grid, 1, block, sharedBytes,
                             args...);
}

#ifdef __CUDACC__
/// Waits until all that the stream had before has ended.
__device__ inline void waitForInputs() {
#if __CUDA_ARCH__ >= 900
  cudaGridDependencySynchronize();
#endif
}
/// Lets what comes after start, once all CTAs came so far or ended; it waits
/// above in turn if it is a kernel of launchEarly(). Not before one's own wait.
__device__ inline void letNextStart() {
#if __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
#endif
}
/// Both.
__device__ inline void waitForStream() {
  waitForInputs();
  letNextStart();
}
#endif

/// Loads kernels on the current device.
template <typename... Kernels> cudaError_t loadKernels(Kernels... kernels) {
  cudaFuncAttributes attributes;
  cudaError_t error = cudaSuccess;
  ((error = error ? error : cudaFuncGetAttributes(&attributes, kernels)), ...);
  return error;
}

/// Lets `kernel` have `sharedBytes` of dynamic shared memory on the context's
/// device; for warmup() and for open().
template <typename... Params>
cudaError_t allowShared(void (*kernel)(Params...), int sharedBytes) {
  return cudaFuncSetAttribute(
      kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes);
}

} // namespace cuda
} // namespace mla

#endif // MLA_RUNTIME_CUDA_LAUNCH_H
