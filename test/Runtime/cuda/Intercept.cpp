//===- Intercept.cpp - What a program asks of the CUDA runtime ------------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Functions of the CUDA runtime's names, which the program exports: the dynamic
// loader finds them before the library's, also for what is loaded later.
//
//===----------------------------------------------------------------------===//

#include "Intercept.h"

#include <cuda_runtime_api.h>

#include <dlfcn.h>
#include <mutex>

using namespace mla;
using namespace mla::test;

static std::mutex mutex;
static bool isCounting = false;
static CudaCalls calls;

void mla::test::startCounting() {
  std::lock_guard<std::mutex> lock(mutex);
  calls = CudaCalls();
  isCounting = true;
}

CudaCalls mla::test::stopCounting() {
  std::lock_guard<std::mutex> lock(mutex);
  isCounting = false;
  return calls;
}

static void countBlocking(const char *name) {
  std::lock_guard<std::mutex> lock(mutex);
  if (isCounting)
    calls.blocking.push_back(name);
}

static void countLaunch(const char *) {
  std::lock_guard<std::mutex> lock(mutex);
  calls.launches += isCounting;
}

#define MLA_INTERCEPT(count, name, parameters, arguments)                      \
  extern "C" __attribute__((                                                   \
      visibility("default"))) cudaError_t CUDARTAPI name parameters {          \
    static const auto next =                                                   \
        reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name));            \
    count(#name);                                                              \
    return next arguments;                                                     \
  }
#define MLA_BLOCKING(name, parameters, arguments)                              \
  MLA_INTERCEPT(countBlocking, name, parameters, arguments)
#define MLA_LAUNCH(name, parameters, arguments)                                \
  MLA_INTERCEPT(countLaunch, name, parameters, arguments)

MLA_BLOCKING(cudaMalloc, (void **data, size_t size), (data, size))
MLA_BLOCKING(cudaMallocAsync, (void **data, size_t size, cudaStream_t stream),
             (data, size, stream))
MLA_BLOCKING(cudaMallocManaged, (void **data, size_t size, unsigned flags),
             (data, size, flags))
MLA_BLOCKING(cudaMallocHost, (void **data, size_t size), (data, size))
MLA_BLOCKING(cudaHostAlloc, (void **data, size_t size, unsigned flags),
             (data, size, flags))
MLA_BLOCKING(cudaFree, (void *data), (data))
MLA_BLOCKING(cudaFreeAsync, (void *data, cudaStream_t stream), (data, stream))
MLA_BLOCKING(cudaFreeHost, (void *data), (data))
MLA_BLOCKING(cudaMemcpy,
             (void *to, const void *from, size_t size, cudaMemcpyKind kind),
             (to, from, size, kind))
MLA_BLOCKING(cudaMemcpyAsync,
             (void *to, const void *from, size_t size, cudaMemcpyKind kind,
              cudaStream_t stream),
             (to, from, size, kind, stream))
MLA_BLOCKING(cudaMemset, (void *data, int value, size_t size),
             (data, value, size))
MLA_BLOCKING(cudaStreamSynchronize, (cudaStream_t stream), (stream))
MLA_BLOCKING(cudaStreamQuery, (cudaStream_t stream), (stream))
MLA_BLOCKING(cudaEventSynchronize, (cudaEvent_t event), (event))
MLA_BLOCKING(cudaEventQuery, (cudaEvent_t event), (event))
MLA_BLOCKING(cudaDeviceSynchronize, (), ())

MLA_LAUNCH(cudaLaunchKernel,
           (const void *kernel, dim3 grid, dim3 block, void **arguments,
            size_t shared, cudaStream_t stream),
           (kernel, grid, block, arguments, shared, stream))
MLA_LAUNCH(cudaLaunchKernelExC,
           (const cudaLaunchConfig_t *config, const void *kernel,
            void **arguments),
           (config, kernel, arguments))
#if CUDART_VERSION >= 13000
// What <<<>>> becomes.
extern "C" cudaError_t CUDARTAPI __cudaLaunchKernel(cudaKernel_t, dim3, dim3,
                                                    void **, size_t,
                                                    cudaStream_t);
MLA_LAUNCH(__cudaLaunchKernel,
           (cudaKernel_t kernel, dim3 grid, dim3 block, void **arguments,
            size_t shared, cudaStream_t stream),
           (kernel, grid, block, arguments, shared, stream))
#endif
